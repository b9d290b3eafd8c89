import { closeSync, writeSync } from "node:fs";
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { drainOutput } from "./drain-output.ts";
import { openRealPipe } from "./real-pipe.ts";

it("takes what a command wrote before its end when this process was held up meanwhile for longer than it waits", async () => {
  const pipe = openRealPipe();
  if (pipe === undefined) throw new Error("there is no pipe");
  const chunks: Uint8Array[] = [];
  const drain = drainOutput(pipe.readable, (chunk) => void chunks.push(chunk));
  await nextTurn();
  const written = Buffer.alloc(60_000, "said");
  writeSync(pipe.writeDescriptor, written);
  closeSync(pipe.writeDescriptor);
  const finished = drain.finish(1, undefined);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
  expect(await finished).toBe(true);
  expect(Buffer.concat(chunks).equals(written)).toBe(true);
});
