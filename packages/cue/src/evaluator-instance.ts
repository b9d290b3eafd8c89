import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { conformsToSchema } from "./conforms-to-schema.ts";
import { type HostFiles, createHostFiles } from "./host-files.ts";
import { createHostFunctions, portablePath } from "./host-functions.ts";
import { createWasiShim } from "./wasi-shim.ts";
import { type WasmMemory, webAssembly } from "./web-assembly.ts";
import { setMemoryCeiling } from "./wasm-memory-ceiling.ts";
import type {
  EvaluatorResult,
  Failure,
  WorkerMessage,
  WorkerRequest,
  WorkerSetup,
} from "./wire.ts";

interface EvaluatorExports {
  readonly memory: WasmMemory;
  allocate(size: number): number;
  evaluate(): void;
}

export interface EvaluatorInstance {
  evaluate(request: WorkerRequest): WorkerMessage;
}

/**
 * An instance of the module's code, which is changed: compiling takes 20 ms, and its memory 10. It was started when it was built
 * (preinitialise.mjs), so that nothing is left to be done.
 */
export function createEvaluatorInstance(code: Uint8Array, setup: WorkerSetup): EvaluatorInstance {
  const schema = readSchema(setup.schemaFolder);
  let files: HostFiles | undefined;
  let exports: EvaluatorExports | undefined;
  const memory = (): WasmMemory => {
    if (exports === undefined) throw new Error("the module is not instantiated");
    return exports.memory;
  };
  const wasi = createWasiShim(memory);
  const host = createHostFunctions(memory, () => files);
  const memoryBytes = setMemoryCeiling(code, setup.memoryBytes);
  const module = new webAssembly.Module(code);
  const instance = new webAssembly.Instance(module, {
    wasi_snapshot_preview1: wasi.imports,
    cuenv: host.imports,
  });
  if ("_initialize" in instance.exports)
    throw new Error("its module was not started when it was built: it is of another version");
  exports = instance.exports as unknown as EvaluatorExports;
  const go = exports;

  function run({ directory, root, packageName, limits }: WorkerRequest, unify: boolean): Run {
    const looked = createHostFiles(root, limits);
    files = looked;
    const request = new TextEncoder().encode(
      JSON.stringify({
        directory: portablePath(directory),
        root: portablePath(root),
        package: packageName,
        schema,
        validate: unify,
        outputBytes: limits.outputBytes,
        memoryBytes,
      }),
    );
    try {
      const at = go.allocate(request.length);
      new Uint8Array(memory().buffer).set(request, at);
      go.evaluate();
    } catch (error) {
      return { message: crashOf(error, wasi.diagnostics()), isCertain: true };
    }
    const { refusal } = looked;
    const answer = host.takeAnswer();
    return {
      message: { kind: "answer", answer, inputs: looked.inputs(), refusal },
      isCertain: refusal !== undefined || (!looked.mentionsTaskOutputs && isCertain(answer)),
    };
  }

  return {
    evaluate(request) {
      if (request.schema !== "checks") return run(request, request.schema === "unified").message;
      const first = run(request, false);
      return first.isCertain ? first.message : run(request, true).message;
    },
  };
}

interface Run {
  readonly message: WorkerMessage;
  /** With our schema unified it would have ended in the same way. */
  readonly isCertain: boolean;
}

function isCertain(answer: string): boolean {
  const parsed = JSON.parse(answer) as EvaluatorResult | { readonly failure: Failure };
  // Only the schema can tell what it would have said, or mended.
  return "failure" in parsed ? parsed.failure.kind !== "evaluation" : conformsToSchema(parsed);
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
