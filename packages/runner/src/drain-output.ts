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

/**
 * A process that was held up (no processor for it, a machine that slept) finds its timers over before it looks at its pipes, and the end of a child told before
 * what that child wrote. A full pipe and its end take two looks.
 */
const lastLooks = 4;

export function drainOutput(stream: Readable, sink: ChunkSink): Drain {
  let isSinkBusy = false;

  /** Pulls, instead of listening to "data": at a child's exit, Node resumes paused streams, whatever they wait for. */
  async function pump(): Promise<true> {
    try {
      for await (const chunk of stream) {
        const taken = sink(chunk as Uint8Array);
        if (taken === undefined) continue;
        isSinkBusy = true;
        await taken;
        isSinkBusy = false;
      }
    } catch {
      // A broken pipe ends as a closed one does; so does a sink that fails.
      stream.destroy();
    }
    return true;
  }

  const ended = pump();

  return {
    async finish(waitMs, signal) {
      const stopped = Promise.withResolvers<false>();
      let timer: NodeJS.Timeout | undefined;
      const wait = (): void => {
        clearTimeout(timer);
        timer = setTimeout(() => {
          look(lastLooks);
        }, waitMs);
      };
      const look = (looks: number): void => {
        if (isSinkBusy && signal?.aborted !== true) wait();
        else if (looks === 0) stopped.resolve(false);
        else setImmediate(look, looks - 1);
      };
      wait();
      signal?.addEventListener("abort", wait, { once: true });
      const complete = await Promise.race([ended, stopped.promise]);
      clearTimeout(timer);
      signal?.removeEventListener("abort", wait);
      if (!complete) stream.destroy();
      return complete;
    },
  };
}
