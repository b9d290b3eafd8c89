import { existsSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { CuenvError } from "@cuenv/errors";
import { busyTimeout } from "./busy-timeout.ts";
import { packageFile } from "./package-file.ts";
import { loadEvaluatorCode } from "./evaluator-code.ts";
import { reasonOf } from "./reason-of.ts";
import type { WorkerMessage, WorkerRequest, WorkerSetup, WorkerStart } from "./wire.ts";

/** Loading takes 0.1 s; a machine that is a hundred times slower is not waited for. */
const startTimeoutMs = 30_000;

/** One worker with one evaluator in it, which does one request at a time. */
export interface EvaluatorThread {
  /** Resolves with the answer, or with "timeout" after ending the thread. Rejects with the signal's reason. */
  ask(request: WorkerRequest, signal?: AbortSignal): Promise<WorkerMessage | "timeout">;
  readonly end: () => Promise<void>;
  readonly memoryBytes: number;
  readonly isAlive: boolean;
}

export function startEvaluatorThread(memoryBytes: number): EvaluatorThread {
  const worker = startWorker({ memoryBytes, schemaFolder: packageFile("schema") });
  // The module is decompressed while the thread starts, which takes half as long.
  const loading = loadEvaluatorCode(packageFile("artifact/evaluator.wasm.zst"));
  const post = (message: WorkerStart, given: ArrayBuffer[] = []): void =>
    worker.postMessage(message, given);
  void loading.then(
    (code) => post({ code }, [code.buffer]),
    (error: unknown) => post({ detail: reasonOf(error) }),
  );
  const messages = receiveFrom(worker);
  let isReady = false;

  async function start(signal: AbortSignal | undefined): Promise<void> {
    if (isReady) return;
    const first = await messages.next(startTimeoutMs, signal);
    isReady = first !== "timeout" && first.kind === "ready";
    if (isReady) return;
    void messages.end();
    const reason =
      first === "timeout"
        ? `it took more than ${startTimeoutMs} ms`
        : "detail" in first
          ? first.detail
          : first.kind;
    throw new CuenvError("CUE_EVALUATOR", `cannot start the CUE evaluator: ${reason}`, {
      hint: "install @cuenv/cue again; a clone rebuilds it with packages/cue/build-evaluator.mjs",
    });
  }

  return {
    memoryBytes,
    get isAlive() {
      return messages.isAlive();
    },
    end: messages.end,
    async ask(request, signal) {
      signal?.throwIfAborted();
      await start(signal);
      const answer = messages.next(request.limits.timeoutMs, signal);
      worker.postMessage(request);
      return answer;
    },
  };
}

function startWorker(workerData: WorkerSetup): Worker {
  // Beside this file, be that source, compiled, or bundled with the worker as an entry of its own.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const beside = new URL(`./evaluator-worker.${extension}`, import.meta.url);
  const worker = new Worker(existsSync(beside) ? beside : packageFile("dist/evaluator-worker.js"), {
    workerData,
    // The worker needs no condition or loader; some flags of the process, `--input-type`, no worker starts with.
    execArgv: [],
    // Deeply nested values are walked by recursion; the default of 4 MB ends at a few thousand levels.
    resourceLimits: { stackSizeMb: 32 },
  });
  worker.unref();
  return worker;
}

interface Messages {
  /** The next message. The process stays alive while somebody waits for it, and only then. */
  next(timeoutMs: number, signal?: AbortSignal): Promise<WorkerMessage | "timeout">;
  readonly end: () => Promise<void>;
  isAlive(): boolean;
}

function receiveFrom(worker: Worker): Messages {
  let isAlive = true;
  let receiver: ((message: WorkerMessage) => void) | undefined;
  /** Came while nobody waited: who asked was aborted before the thread was ready. */
  let early: WorkerMessage | undefined;
  const receive = (message: WorkerMessage): void => {
    if (message.kind === "crash" || message.kind === "broken") isAlive = false;
    if (receiver === undefined) early = message;
    else receiver(message);
  };
  worker.on("message", receive);
  worker.on("error", (error) => receive({ kind: "broken", detail: error.message }));
  worker.on("exit", (code) =>
    receive({ kind: "broken", detail: `the evaluator's thread ended with code ${code}` }),
  );

  async function end(): Promise<void> {
    isAlive = false;
    await worker.terminate();
  }

  return {
    isAlive: () => isAlive,
    end,
    next(timeoutMs, signal) {
      const arrived = early;
      early = undefined;
      if (arrived !== undefined) return Promise.resolve(arrived);
      return new Promise((resolve, reject) => {
        worker.ref();
        const settle = (): void => {
          callOff();
          signal?.removeEventListener("abort", abort);
          receiver = undefined;
          worker.unref();
        };
        const abort = (): void => {
          settle();
          void end();
          reject(signal?.reason);
        };
        const callOff = busyTimeout(timeoutMs, () => {
          settle();
          void end();
          resolve("timeout");
        });
        receiver = (message) => {
          settle();
          resolve(message);
        };
        signal?.addEventListener("abort", abort, { once: true });
      });
    },
  };
}
