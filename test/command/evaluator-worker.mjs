// Stands in a copy of the command for its evaluator's thread: hands the request to the evaluator that the tests keep
// loaded (evaluator-server.mjs), which reads the same files and gives the same answer without 0.2 s of loading.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { frame, readFrames } from "./frames.mjs";

const socket = connect(readFileSync(new URL("evaluator-socket", import.meta.url), "utf8"));
const broken = (detail) => parentPort.postMessage({ kind: "broken", detail });
socket.on("error", (error) => broken(`no evaluator of the tests: ${error.message}`));
readFrames(socket, (message) => parentPort.postMessage(message));
// The first message is the code of an evaluator, which in that copy is empty.
parentPort.once("message", (start) => {
  if (start.code?.length !== 0) broken("this copy of the command has an evaluator of its own");
  parentPort.on("message", (request) => socket.write(frame({ setup: workerData, request })));
  parentPort.postMessage({ kind: "ready" });
});
