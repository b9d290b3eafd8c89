import { Worker } from "node:worker_threads";
import { CuenvError } from "@cuenv/errors";
import { packageFile } from "./package-file.ts";
import type { WorkerMessage, WorkerRequest, WorkerSetup } from "./wire.ts";

/** Loading takes 0.3 s; a machine that is a hundred times slower is not waited for. */
const startTimeoutMs = 30_000;

/** One worker with one evaluator in it, which does one request at a time. */
export interface EvaluatorThread {
  /** Resolves with the answer, or with "timeout" after ending the thread. */
  ask(request: WorkerRequest, signal?: AbortSignal): Promise<WorkerMessage | "timeout">;
  end(): Promise<void>;
  readonly memoryBytes: number;
  readonly isAlive: boolean;
}

export function startEvaluatorThread(memoryBytes: number): EvaluatorThread {
  // The same file beside this one, be that source or compiled.
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const folder = extension === "ts" ? "src" : "dist";
  const setup: WorkerSetup = {
    memoryBytes,
    artifact: packageFile("artifact/evaluator.wasm.zst"),
    schemaFolder: packageFile("schema"),
  };
  const worker = new Worker(packageFile(`${folder}/evaluator-worker.${extension}`), {
    workerData: setup,
    // Deeply nested values are walked by recursion; the default of 4 MB ends at a few thousand levels.
    resourceLimits: { stackSizeMb: 32 },
    // What the module prints when it dies is in its message.
    stdout: false,
    stderr: false,
  });
  let isAlive = true;
  let next: ((message: WorkerMessage) => void) | undefined;
  let isReady = false;
  worker.unref();
  worker.on("message", (message: WorkerMessage) => {
    if (message.kind === "crash" || message.kind === "broken") isAlive = false;
    next?.(message);
  });
  worker.on("error", (error) => {
    isAlive = false;
    next?.({ kind: "broken", detail: error.message });
  });
  worker.on("exit", (code) => {
    isAlive = false;
    next?.({ kind: "broken", detail: `the evaluator's thread ended with code ${code}` });
  });

  async function end(): Promise<void> {
    isAlive = false;
    await worker.terminate();
  }

  /** The next message, or "timeout"; the process stays alive while one waits for it. */
  function receive(timeoutMs: number, signal?: AbortSignal): Promise<WorkerMessage | "timeout"> {
    return new Promise((resolve, reject) => {
      worker.ref();
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", abort);
        next = undefined;
        worker.unref();
      };
      const abort = (): void => {
        settle();
        void end();
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        settle();
        void end();
        resolve("timeout");
      }, timeoutMs);
      next = (message) => {
        settle();
        resolve(message);
      };
      signal?.addEventListener("abort", abort, { once: true });
    });
  }

  return {
    memoryBytes,
    get isAlive() {
      return isAlive;
    },
    end,
    async ask(request, signal) {
      signal?.throwIfAborted();
      if (!isReady) {
        const first = await receive(startTimeoutMs, signal);
        if (first === "timeout" || first.kind !== "ready") {
          void end();
          const reason =
            first === "timeout" ? `it took more than ${startTimeoutMs} ms` : detail(first);
          throw new CuenvError("CUE_EVALUATOR", `cannot start the CUE evaluator: ${reason}`, {
            hint: "install @cuenv/cue again; a clone rebuilds it with packages/cue/build-evaluator.mjs",
          });
        }
        isReady = true;
      }
      const answer = receive(request.limits.timeoutMs, signal);
      worker.postMessage(request);
      return answer;
    },
  };
}

function detail(message: WorkerMessage): string {
  return "detail" in message ? message.detail : message.kind;
}
