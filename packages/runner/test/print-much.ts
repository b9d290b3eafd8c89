import { createDescriptorSink } from "../src/index.ts";

// Writes until its reader has gone, then says so on stderr: `node print-much.ts | head -1`.
const reader = { isGone: false };
const sink = createDescriptorSink(1, {
  onClosed() {
    reader.isGone = true;
  },
});
const chunk = Buffer.from(`${"x".repeat(1000)}\n`.repeat(100));
for (let index = 0; index < 200 && !reader.isGone; index += 1) await sink.write(chunk);
await sink.write(chunk);
process.stderr.write(reader.isGone ? "closed\n" : "open\n");
