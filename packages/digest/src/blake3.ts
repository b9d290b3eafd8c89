import { createRequire } from "node:module";
import type { Hasher } from "./hasher.ts";

/** The parts of `@napi-rs/blake-hash` (native, optional) and `blake3-wasm` 2.1.5 (everywhere) that are used here. */
interface NativeModule {
  Blake3Hasher: new () => { update(bytes: Uint8Array): unknown; digest(format: "hex"): string };
}
interface WasmModule {
  createHash(): {
    update(bytes: Uint8Array): unknown;
    digest(encoding: "hex"): string;
    dispose(): void;
  };
}

type Engine = { readonly name: "native" | "wasm"; readonly create: () => Hasher };

let engine: Engine | undefined;

/** Which BLAKE3 is used here: the native addon where it is installed, else WebAssembly. */
export function blake3Engine(): "native" | "wasm" {
  return loadEngine().name;
}

export function createBlake3Hasher(): Hasher {
  return loadEngine().create();
}

/** Both engines by name, so that a test can hold each of them to the official vectors. */
export function createBlake3HasherWith(name: "native" | "wasm"): Hasher | undefined {
  return (name === "native" ? nativeEngine() : wasmEngine())?.create();
}

function loadEngine(): Engine {
  engine ??= nativeEngine() ?? wasmEngine();
  return engine;
}

function nativeEngine(): Engine | undefined {
  let native: NativeModule;
  try {
    native = createRequire(import.meta.url)("@napi-rs/blake-hash") as NativeModule;
  } catch {
    return undefined;
  }
  const create = (): Hasher => {
    const hasher = new native.Blake3Hasher();
    return {
      update: (bytes) => void hasher.update(bytes),
      digestHex: () => hasher.digest("hex"),
    };
  };
  return { name: "native", create };
}

/** The largest update given to the WebAssembly engine: its memory grows with the update, so it stays small (1 MiB). */
const wasmUpdateBytes = 1024 * 1024;

function wasmEngine(): Engine {
  const wasm = createRequire(import.meta.url)("blake3-wasm") as WasmModule;
  const create = (): Hasher => {
    const hasher = wasm.createHash();
    return {
      update: (bytes) => {
        for (let start = 0; start < bytes.length; start += wasmUpdateBytes) {
          hasher.update(bytes.subarray(start, start + wasmUpdateBytes));
        }
      },
      // `digest` frees the WebAssembly side of the hasher.
      digestHex: () => hasher.digest("hex"),
    };
  };
  return { name: "wasm", create };
}
