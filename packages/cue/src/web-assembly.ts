// Node has the global; its type package has not. What we use of it:

export type ModuleImports = Record<string, unknown>;

export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WasmModule {
  readonly module?: never;
}

interface WasmInstance {
  readonly exports: Record<string, unknown>;
}

interface WebAssemblyGlobal {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    exports(module: WasmModule): readonly { readonly name: string }[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Record<string, ModuleImports>,
  ) => WasmInstance;
}

export const webAssembly: WebAssemblyGlobal = (
  globalThis as unknown as { WebAssembly: WebAssemblyGlobal }
).WebAssembly;
