import { deserialize, serialize } from "node:v8";

const lengthBytes = 4;

/** What `postMessage` would carry, with its length before it. */
export function frame(message) {
  const body = serialize(message);
  const head = Buffer.alloc(lengthBytes);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

export function readFrames(stream, receive) {
  let pending = Buffer.alloc(0);
  stream.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= lengthBytes) {
      const end = lengthBytes + pending.readUInt32LE();
      if (pending.length < end) return;
      receive(deserialize(pending.subarray(lengthBytes, end)));
      pending = pending.subarray(end);
    }
  });
}
