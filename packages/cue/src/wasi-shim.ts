import { randomFillSync } from "node:crypto";
import type { ModuleImports, WasmMemory } from "./web-assembly.ts";

/** Thrown through WebAssembly when the module ends itself: the instance is of no use afterwards. */
export class ModuleExit extends Error {
  override readonly name = "ModuleExit";
}

export interface WasiShim {
  readonly imports: ModuleImports;
  /** What the module wrote to its standard error, the last of it: a panic's message. */
  diagnostics(): string;
}

const notSupported = 52; // ENOSYS
const badDescriptor = 8;
const diagnosticsKept = 16_384;

/**
 * The few functions of WASI preview 1 that Go's runtime needs to start and to run: environment, clocks, random
 * numbers, panics. There are no files, arguments or sockets: every other function says that it is not supported. (node:wasi
 * prints a warning, and says of itself that it is no sandbox.)
 */
export function createWasiShim(environment: readonly string[], memory: () => WasmMemory): WasiShim {
  let diagnostics = "";
  const strings = environment.map((text) => new TextEncoder().encode(`${text}\0`));
  const view = () => new DataView(memory().buffer);
  const bytes = () => new Uint8Array(memory().buffer);

  const functions: Record<string, (...values: number[]) => number> = {
    args_sizes_get: (count = 0, size = 0) => setSizes(count, size, 0, 0),
    args_get: () => 0,
    environ_sizes_get: (count = 0, size = 0) =>
      setSizes(
        count,
        size,
        strings.length,
        strings.reduce((total, text) => total + text.length, 0),
      ),
    environ_get(pointers = 0, buffer = 0) {
      let at = buffer;
      for (const [index, text] of strings.entries()) {
        view().setUint32(pointers + 4 * index, at, true);
        bytes().set(text, at);
        at += text.length;
      }
      return 0;
    },
    random_get(at = 0, length = 0) {
      randomFillSync(bytes().subarray(at, at + length));
      return 0;
    },
    sched_yield: () => 0,
    fd_prestat_get: () => badDescriptor,
    fd_write(descriptor = 0, vectors = 0, count = 0, written = 0) {
      let total = 0;
      for (let index = 0; index < count; index += 1) {
        const at = view().getUint32(vectors + 8 * index, true);
        const length = view().getUint32(vectors + 8 * index + 4, true);
        if (descriptor === 2)
          diagnostics += new TextDecoder().decode(bytes().slice(at, at + length));
        total += length;
      }
      diagnostics = diagnostics.slice(-diagnosticsKept);
      view().setUint32(written, total, true);
      return 0;
    },
    /** Subscriptions are 48 bytes, events 32; Go asks for timers only, and may be told that they fired. */
    poll_oneoff(subscriptions = 0, events = 0, count = 0, happened = 0) {
      for (let index = 0; index < count; index += 1) {
        const subscription = subscriptions + 48 * index;
        bytes().copyWithin(events + 32 * index, subscription, subscription + 8);
        view().setUint16(events + 32 * index + 8, 0, true);
        view().setUint8(events + 32 * index + 10, view().getUint8(subscription + 8));
      }
      view().setUint32(happened, count, true);
      return 0;
    },
  };

  function setSizes(countAt: number, sizeAt: number, count: number, size: number): number {
    view().setUint32(countAt, count, true);
    view().setUint32(sizeAt, size, true);
    return 0;
  }

  const imports: ModuleImports = {
    ...functions,
    /** The second argument is a 64-bit number, hence apart. */
    clock_time_get(clock: number, _precision: bigint, at: number) {
      const now =
        clock === 0 ? BigInt(Date.now()) * 1_000_000n : BigInt(Math.round(performance.now() * 1e6));
      view().setBigUint64(at, now, true);
      return 0;
    },
    proc_exit(code: number) {
      throw new ModuleExit(`the evaluator ended with code ${code}`);
    },
  };
  return {
    imports: new Proxy(imports, {
      get: (known, name: string) => known[name] ?? (() => notSupported),
    }),
    diagnostics: () => diagnostics,
  };
}
