import { zstdDecompressSync } from "node:zlib";
import { isSkippable, splitZstdFrames } from "./zstd-frames.ts";

/** Each costs as much as some kilobytes do: four mebibytes of empty ones would take half a minute. */
const maxFrames = 1024;

/**
 * What all frames hold, one after the other.
 * @throws the error of node:zlib when the bytes are no zstd, or hold more than `maxBytes`; RangeError when they are more than a thousand frames
 */
export function decompressZstd(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const frames = splitZstdFrames(bytes).filter((frame) => !isSkippable(frame));
  if (frames.length > maxFrames)
    throw new RangeError(`${frames.length} frames of zstd are more than ${maxFrames}`);
  const parts: Uint8Array[] = [];
  let left = maxBytes;
  for (const frame of frames.length === 0 ? [bytes] : frames) {
    // zlib takes no limit of 0, and any frame may be empty.
    const part = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, left) });
    left -= part.length;
    parts.push(part);
  }
  const [only] = parts;
  return only !== undefined && parts.length === 1 ? only : Buffer.concat(parts);
}
