import type { BlobSource } from "@cuenv/cas";
import { createReadStream } from "node:fs";

/** Whether a source can be read more than once. */
export function isRepeatable(source: BlobSource): boolean {
  return source instanceof Uint8Array || "path" in source;
}

const pieceBytes = 1024 * 1024;

/** The bytes of a source, in pieces. @throws what a stream fails with, the system's error of a path */
export async function* chunksOf(source: BlobSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let start = 0; start < source.length; start += pieceBytes)
      yield source.subarray(start, start + pieceBytes);
  } else if ("path" in source)
    yield* createReadStream(source.path, { highWaterMark: pieceBytes }) as AsyncIterable<Buffer>;
  else yield* source;
}
