import { maxSyncReadBytes } from "./blob-store.ts";
import { createBufferPool } from "./buffer-pool.ts";

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

/** How many are out at once, and how many are kept: so many small uploads in the making use the same again and again. */
const maxTaken = 64;
const pool = createBufferPool({ bufferBytes: maxSyncReadBytes, maxBuffers: 16 });
let taken = 0;

/**
 * A buffer for what is read in many turns, of {@link maxSyncReadBytes}; whoever took it gives it back. Chunks that are kept until the last has come outlive the collections of V8's young generation, and then only one of
 * the whole heap frees them: a fifth of the CPU of a server that takes uploads of 1 MiB. Undefined: too many are out, with senders that take their time.
 */
export function takeBuffer(): Buffer | undefined {
  if (taken === maxTaken) return undefined;
  taken += 1;
  return pool.take(maxSyncReadBytes);
}

export function giveBack(given: Buffer | undefined): void {
  if (given === undefined) return;
  taken -= 1;
  pool.give(given);
}
