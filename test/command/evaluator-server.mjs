// `node evaluator-server.mjs SOCKET WORKER ARTIFACT`: keeps evaluators of the command loaded, for all tests of a run. WORKER is the
// file that the command itself runs as a thread, ARTIFACT the evaluator that it gives it. Ends when its standard input does.
import { chmodSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { Worker } from "node:worker_threads";
import { zstdDecompressSync } from "node:zlib";
import { frame, readFrames } from "./frames.mjs";

const [path, workerFile, artifact] = process.argv.slice(2);
const code = new Uint8Array(zstdDecompressSync(readFileSync(artifact)));
/** As many as there are test files at once on two processors. */
const parallel = 2;
/** One that is stuck is ended, as the command ends it: after the request's own limit, and a second for what waits before it here. */
const graceMs = 1000;

const idle = new Map();
const waiting = [];
let started = 0;

createServer((socket) => {
  // Whoever asked was killed, which is what some tests do.
  socket.on("error", () => socket.destroy());
  readFrames(socket, (ask) => {
    waiting.push({ ...ask, answer: (message) => socket.writable && socket.write(frame(message)) });
    serve();
  });
}).listen(path, () => {
  // Some tests are run as another user.
  chmodSync(path, 0o777);
  process.stdout.write("ready\n");
});
process.stdin.resume().on("end", () => process.exit());

function serve() {
  while (waiting.length > 0) {
    const [next] = waiting;
    const key = JSON.stringify(next.setup);
    const free = (idle.get(key) ?? []).pop() ?? start(next.setup);
    if (free === undefined) return;
    waiting.shift();
    void evaluate(free, next, key);
  }
}

function start(setup) {
  if (started === parallel) {
    // All are busy, or some wait for requests of other limits than these.
    const other = [...idle.values()].find((workers) => workers.length > 0)?.pop();
    if (other === undefined) return undefined;
    end(other);
  }
  started += 1;
  const worker = new Worker(workerFile, {
    workerData: setup,
    execArgv: [],
    resourceLimits: { stackSizeMb: 32 },
  });
  worker.postMessage({ code });
  return worker;
}

function end(worker) {
  started -= 1;
  void worker.terminate();
}

async function evaluate(worker, { request, answer }, key) {
  const message = await new Promise((resolve) => {
    const timer = setTimeout(resolve, request.limits.timeoutMs + graceMs);
    const done = (found) => {
      clearTimeout(timer);
      resolve(found);
    };
    worker.removeAllListeners();
    worker.on("message", (found) => found.kind !== "ready" && done(found));
    worker.on("error", (error) => done({ kind: "broken", detail: error.message }));
    worker.postMessage(request);
  });
  if (message !== undefined) answer(message);
  if (message?.kind === "answer") idle.set(key, [...(idle.get(key) ?? []), worker]);
  else end(worker);
  serve();
}
