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

export interface WasiOptions {
  /** `NAME=value`. Default: empty. */
  readonly environment?: readonly string[];
  /** Nanoseconds, since 1970 or since any moment. */
  readonly clock?: (kind: "wall" | "monotonic") => bigint;
  readonly fillRandom?: (bytes: Uint8Array) => void;
}

function systemClock(kind: "wall" | "monotonic"): bigint {
  return kind === "wall"
    ? BigInt(Date.now()) * 1_000_000n
    : BigInt(Math.round(performance.now() * 1e6));
}

const notSupported = 52; // ENOSYS
const badDescriptor = 8;
const diagnosticsKept = 16_384;

/**
 * The few functions of WASI preview 1 that Go's runtime needs to start and to run: environment, clocks, random
 * numbers, panics. There are no files, arguments or sockets: every other function says that it is not supported. (node:wasi
 * prints a warning, and says of itself that it is no sandbox.)
 */
export function createWasiShim(
  memory: () => WasmMemory,
  { environment = [], clock = systemClock, fillRandom = randomFillSync }: WasiOptions = {},
): WasiShim {
  const view = (): DataView => new DataView(memory().buffer);
  const bytes = (): Uint8Array => new Uint8Array(memory().buffer);
  const errors = createErrorStream(view, bytes);
  const imports: ModuleImports = {
    ...environmentFunctions(environment, view, bytes),
    random_get(at: number, length: number) {
      fillRandom(bytes().subarray(at, at + length));
      return 0;
    },
    /** The second argument is a 64-bit number. */
    clock_time_get(id: number, _precision: bigint, at: number) {
      view().setBigUint64(at, clock(id === 0 ? "wall" : "monotonic"), true);
      return 0;
    },
    /** Subscriptions are 48 bytes, events 32; Go asks for timers only, and may be told that they fired. */
    poll_oneoff(subscriptions: number, events: number, count: number, happened: number) {
      for (let index = 0; index < count; index += 1) {
        const subscription = subscriptions + 48 * index;
        bytes().copyWithin(events + 32 * index, subscription, subscription + 8);
        view().setUint16(events + 32 * index + 8, 0, true);
        view().setUint8(events + 32 * index + 10, view().getUint8(subscription + 8));
      }
      view().setUint32(happened, count, true);
      return 0;
    },
    sched_yield: () => 0,
    fd_prestat_get: () => badDescriptor,
    fd_write: errors.write,
    proc_exit(code: number) {
      throw new ModuleExit(`the evaluator ended with code ${code}`);
    },
  };
  return {
    imports: new Proxy(imports, {
      get: (known, name: string) => known[name] ?? (() => notSupported),
    }),
    diagnostics: errors.text,
  };
}

function environmentFunctions(
  environment: readonly string[],
  view: () => DataView,
  bytes: () => Uint8Array,
): ModuleImports {
  const strings = environment.map((text) => new TextEncoder().encode(`${text}\0`));
  const size = strings.reduce((total, text) => total + text.length, 0);
  function setSizes(countAt: number, sizeAt: number, count: number, total: number): number {
    view().setUint32(countAt, count, true);
    view().setUint32(sizeAt, total, true);
    return 0;
  }
  return {
    args_sizes_get: (countAt: number, sizeAt: number) => setSizes(countAt, sizeAt, 0, 0),
    args_get: () => 0,
    environ_sizes_get: (countAt: number, sizeAt: number) =>
      setSizes(countAt, sizeAt, strings.length, size),
    environ_get(pointers: number, buffer: number) {
      let at = buffer;
      for (const [index, text] of strings.entries()) {
        view().setUint32(pointers + 4 * index, at, true);
        bytes().set(text, at);
        at += text.length;
      }
      return 0;
    },
  };
}

interface ErrorStream {
  readonly write: (descriptor: number, vectors: number, count: number, written: number) => number;
  readonly text: () => string;
}

/** Keeps the end of what is written to descriptor 2, and drops everything else. */
function createErrorStream(view: () => DataView, bytes: () => Uint8Array): ErrorStream {
  let kept = "";
  return {
    text: () => kept,
    write(descriptor, vectors, count, written) {
      let total = 0;
      for (let index = 0; index < count; index += 1) {
        const at = view().getUint32(vectors + 8 * index, true);
        const length = view().getUint32(vectors + 8 * index + 4, true);
        if (descriptor === 2) kept += new TextDecoder().decode(bytes().slice(at, at + length));
        total += length;
      }
      kept = kept.slice(-diagnosticsKept);
      view().setUint32(written, total, true);
      return 0;
    },
  };
}
