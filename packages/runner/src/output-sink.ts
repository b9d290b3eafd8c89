import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** A place that bytes go to, in the order of the calls. A promise: it is slow, wait before you write more. Never throws. */
export interface OutputSink {
  readonly write: (bytes: Uint8Array) => void | Promise<void>;
}

/** A reader that is slow leaves the pipe full; how soon to look again. */
const retryMs = 5;

export interface DescriptorSinkOptions {
  /** What is written from now on is dropped: the reader has gone (`| head -1`), or the disk is full. Called once. */
  readonly onClosed?: (error: unknown) => void;
}

/**
 * Writes to a file descriptor with plain system calls: no stream to set up on the way of a hit, nothing lost at
 * process.exit(), and stdout and stderr keep their order. A pipe that does not block is waited for without blocking us.
 */
export function createDescriptorSink(
  descriptor: number,
  options: DescriptorSinkOptions = {},
): OutputSink {
  let closed = false;
  /** Resolves when all that waits is written; undefined when nothing waits. */
  let queue: Promise<void> | undefined;
  let waiting = 0;

  /** @returns what is left to write; the same bytes when nothing could be written */
  function writeNow(bytes: Uint8Array): Uint8Array {
    let rest = bytes;
    while (rest.length > 0 && !closed) {
      try {
        rest = rest.subarray(writeSync(descriptor, rest));
      } catch (error) {
        const code = error instanceof Error && "code" in error ? error.code : undefined;
        if (code === "EAGAIN") return rest;
        if (code === "EINTR") continue;
        // EPIPE: the reader has gone. ENOSPC and the rest: nothing that comes would get through either.
        closed = true;
        options.onClosed?.(error);
      }
    }
    return rest.subarray(rest.length);
  }

  /** The bytes are copied, since the caller may use its own again once we return. */
  function enqueue(bytes: Uint8Array): Promise<void> {
    const turn = writeLater(Uint8Array.from(bytes), queue);
    queue = turn;
    return turn;
  }

  async function writeLater(bytes: Uint8Array, before: Promise<void> | undefined): Promise<void> {
    waiting += 1;
    await before;
    for (let rest = writeNow(bytes); rest.length > 0; rest = writeNow(rest)) await sleep(retryMs);
    waiting -= 1;
    if (waiting === 0) queue = undefined;
  }

  return {
    write(bytes) {
      if (closed) return undefined;
      if (queue !== undefined) return enqueue(bytes);
      const rest = writeNow(bytes);
      return rest.length === 0 ? undefined : enqueue(rest);
    },
  };
}
