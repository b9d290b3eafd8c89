import { readFileSync, readdirSync } from "node:fs";
import { join, sep } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { type HostFiles, createHostFiles, missing, refused } from "./host-files.ts";
import { createWasiShim } from "./wasi-shim.ts";
import { type WasmMemory, webAssembly } from "./web-assembly.ts";
import { withMemoryCeiling } from "./wasm-memory-ceiling.ts";
import type { WorkerMessage, WorkerRequest, WorkerSetup } from "./wire.ts";

interface EvaluatorExports {
  readonly memory: WasmMemory;
  _initialize(): void;
  allocate(size: number): number;
  evaluate(): void;
}

export interface EvaluatorInstance {
  evaluate(request: WorkerRequest): WorkerMessage;
}

const windows = sep === "\\";
const toNative = (path: string): string => (windows ? path.slice(1).replaceAll("/", sep) : path);
const toPortable = (path: string): string => (windows ? `/${path.replaceAll(sep, "/")}` : path);

/** Loads the module, as `reference` says: read 17 ms, decompress 100 ms, compile 70 ms, initialise 100 ms. */
export function createEvaluatorInstance(setup: WorkerSetup): EvaluatorInstance {
  const schema = readSchema(setup.schemaFolder);
  let files: HostFiles | undefined;
  let pending: Uint8Array = new Uint8Array();
  let answer = "";
  let exports: EvaluatorExports | undefined;
  const memory = (): WasmMemory => {
    if (exports === undefined) throw new Error("the module is not instantiated");
    return exports.memory;
  };
  // The collector must work harder before the ceiling than at it, where the module dies.
  const environment = [`GOMEMLIMIT=${Math.floor(setup.memoryBytes * 0.8)}`];
  const wasi = createWasiShim(environment, memory);

  const text = (at: number, length: number): string =>
    new TextDecoder().decode(new Uint8Array(memory().buffer).slice(at, at + length));
  function offer(bytes: Uint8Array | typeof missing | typeof refused | undefined): number {
    if (bytes === undefined) return refused;
    if (typeof bytes === "number") return bytes;
    pending = bytes;
    return bytes.length;
  }
  const host = {
    stat: (at: number, length: number) => files?.stat(toNative(text(at, length))) ?? refused,
    read: (at: number, length: number) => offer(files?.read(toNative(text(at, length)))),
    list: (at: number, length: number, everything: number) =>
      offer(files?.list(toNative(text(at, length)), everything === 0 ? "cue" : "all")),
    take(at: number) {
      new Uint8Array(memory().buffer).set(pending, at);
      pending = new Uint8Array();
    },
    result(at: number, length: number) {
      answer = text(at, length);
    },
  };

  const module = new webAssembly.Module(
    withMemoryCeiling(zstdDecompressSync(readFileSync(setup.artifact)), setup.memoryBytes),
  );
  const instance = new webAssembly.Instance(module, {
    wasi_snapshot_preview1: wasi.imports,
    cuenv: host,
  });
  exports = instance.exports as unknown as EvaluatorExports;
  const go = exports;
  go._initialize();

  return {
    evaluate({ directory, root, packageName, validate, limits }) {
      files = createHostFiles(root, limits);
      answer = "";
      const request = new TextEncoder().encode(
        JSON.stringify({
          directory: toPortable(directory),
          root: toPortable(root),
          package: packageName,
          schema,
          validate,
          outputBytes: limits.outputBytes,
        }),
      );
      try {
        const at = go.allocate(request.length);
        new Uint8Array(memory().buffer).set(request, at);
        go.evaluate();
      } catch (error) {
        return crashOf(error, wasi.diagnostics());
      }
      return { kind: "answer", answer, inputs: files.inputs(), refusal: files.refusal };
    },
  };
}

function crashOf(error: unknown, diagnostics: string): WorkerMessage {
  const detail = `${String(error)}\n${diagnostics}`;
  if (/out of memory|cannot allocate memory/.test(diagnostics))
    return { kind: "crash", cause: "memory", detail };
  if (error instanceof RangeError || /stack overflow|exceeds .*-byte limit/.test(diagnostics))
    return { kind: "crash", cause: "depth", detail };
  return { kind: "crash", cause: "other", detail };
}

function readSchema(folder: string, prefix = ""): Record<string, string> {
  const files: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, prefix), { withFileTypes: true })) {
    const name = prefix + entry.name;
    if (entry.isDirectory()) Object.assign(files, readSchema(folder, `${name}/`));
    else if (name.endsWith(".cue")) files[name] = readFileSync(join(folder, name), "utf8");
  }
  return files;
}
