import { parentPort, workerData } from "node:worker_threads";
import { createEvaluatorInstance, type EvaluatorInstance } from "./evaluator-instance.ts";
import type { WorkerMessage, WorkerRequest, WorkerSetup } from "./wire.ts";

// The thread that evaluates: so that whoever asked stays responsive, and can end it in the middle of a call.

const port = parentPort;
if (port === null) throw new Error("this file runs as a worker");
const tell = (message: WorkerMessage): void => port.postMessage(message);

let instance: EvaluatorInstance | undefined;
try {
  instance = createEvaluatorInstance(workerData as WorkerSetup);
  tell({ kind: "ready" });
} catch (error) {
  tell({ kind: "broken", detail: error instanceof Error ? error.message : String(error) });
}
port.on("message", (request: WorkerRequest) => {
  if (instance === undefined) return;
  try {
    tell(instance.evaluate(request));
  } catch (error) {
    tell({ kind: "broken", detail: error instanceof Error ? error.message : String(error) });
  }
});
