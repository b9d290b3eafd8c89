import type { Readable } from "node:stream";

/** Takes the bytes of a stream, in order. A promise holds the process back until it is settled. Must not throw. */
export type ChunkSink = (chunk: Uint8Array) => void | Promise<void>;

/** A stream on its way to a sink. */
export interface Drain {
  /**
   * Called when the command has ended: resolves at the stream's end, with true; or, with false, when `waitMs` are
   * over. While the sink is the slow one, it is waited for (what the command wrote lies in the pipe and is not lost),
   * but after an abort for no longer than `waitMs`.
   */
  readonly finish: (waitMs: number, signal: AbortSignal | undefined) => Promise<boolean>;
}

export function drainOutput(stream: Readable, sink: ChunkSink): Drain {
  const ended = Promise.withResolvers<true>();
  /** Settled when the sink took all that was read so far. */
  let pending: Promise<void> | undefined;

  async function waitForSink(taken: Promise<void>): Promise<void> {
    stream.pause();
    try {
      await taken;
      stream.resume();
    } catch {
      stream.destroy();
    }
    pending = undefined;
  }

  stream.on("data", (chunk: Uint8Array) => {
    const taken = sink(chunk);
    if (taken !== undefined) pending = waitForSink(taken);
  });
  stream.once("close", () => {
    ended.resolve(true);
  });
  // A broken pipe ends as a closed one does.
  stream.on("error", () => {
    stream.destroy();
  });

  return {
    async finish(waitMs, signal) {
      const stopped = Promise.withResolvers<false>();
      let timer: NodeJS.Timeout | undefined;
      const wait = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          if (pending === undefined || signal?.aborted === true) stopped.resolve(false);
          else pending.then(wait, wait);
        }, waitMs);
      };
      wait();
      signal?.addEventListener("abort", wait, { once: true });
      const complete = await Promise.race([ended.promise, stopped.promise]);
      clearTimeout(timer);
      signal?.removeEventListener("abort", wait);
      if (!complete) stream.destroy();
      return complete;
    },
  };
}
