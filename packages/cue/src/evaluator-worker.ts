import { setFlagsFromString } from "node:v8";
import { parentPort, workerData } from "node:worker_threads";
import { createEvaluatorInstance, type EvaluatorInstance } from "./evaluator-instance.ts";
import { reasonOf } from "./reason-of.ts";
import type { WorkerMessage, WorkerRequest, WorkerSetup, WorkerStart } from "./wire.ts";

// The thread that evaluates: so that whoever asked stays responsive, and can end it in the middle of a call.

// V8 complains on stderr of a flag that it does not know: only for the versions that were tried (22, 24, 26).
if (Number.parseInt(process.versions.node, 10) <= 26) {
  // V8 optimises a function after 13 MB of work in it (an estimate of its own), on other threads and to no use in an evaluation that is
  // over by then: 200 tasks took 900 ms of CPU instead of 530, and no less time. Long evaluations get there all the same.
  setFlagsFromString("--wasm-tiering-budget=100000000");
  // Functions are checked when they are first called: most of the module's 39 MB never are, and checking them takes 40 ms.
  setFlagsFromString("--wasm-lazy-validation");
}

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");
const tell = (message: WorkerMessage): void => port.postMessage(message);

function answer(instance: EvaluatorInstance, request: WorkerRequest): void {
  try {
    tell(instance.evaluate(request));
  } catch (error) {
    tell({ kind: "broken", detail: reasonOf(error) });
  }
}

port.once("message", (start: WorkerStart) => {
  try {
    if ("detail" in start) throw new Error(start.detail);
    const instance = createEvaluatorInstance(start.code, workerData as WorkerSetup);
    port.on("message", (request: WorkerRequest) => answer(instance, request));
    tell({ kind: "ready" });
  } catch (error) {
    tell({ kind: "broken", detail: reasonOf(error) });
  }
});
