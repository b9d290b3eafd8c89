import { maxSyncReadBytes } from "./blob-store.ts";

let buffer: Buffer | undefined;

/**
 * One buffer for all small files that are read, used and forgotten within one turn of the event loop. A buffer of its own for each of 1,000
 * outputs is memory that V8 frees late, and that every fork for a task has to account for meanwhile.
 * One byte longer than what is read at once: whoever fills it knows that there was more.
 */
export function scratchBuffer(): Buffer {
  buffer ??= Buffer.allocUnsafeSlow(maxSyncReadBytes + 1);
  return buffer;
}
