/** Chunks on their way from who fetches them to who reads them, one at a time: who fetches waits for who reads. */
export interface ChunkQueue extends AsyncIterable<Uint8Array> {
  /** Resolves when the chunk was taken. @throws when nobody reads any longer */
  push(chunk: Uint8Array): Promise<void>;
  readonly end: () => void;
  readonly fail: (error: unknown) => void;
  /** Nobody reads any longer. */
  readonly stop: () => void;
}

export function createChunkQueue(): ChunkQueue {
  let waiting: { readonly chunk: Uint8Array; readonly taken: () => void } | undefined;
  let over: { readonly error?: unknown } | undefined;
  let isStopped = false;
  let wake: () => void = () => undefined;
  let release: (error: Error) => void = () => undefined;
  const finish = (result: { readonly error?: unknown }): void => {
    over ??= result;
    wake();
  };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (waiting !== undefined) {
        const { chunk, taken } = waiting;
        waiting = undefined;
        taken();
        yield chunk;
      } else if (over !== undefined) {
        if ("error" in over) throw over.error;
        return;
      } else await new Promise<void>((resolve) => void (wake = resolve));
    }
  }
  return {
    [Symbol.asyncIterator]: chunks,
    push: (chunk) =>
      new Promise((resolve, reject) => {
        if (isStopped) {
          reject(new Error("nobody reads any longer"));
          return;
        }
        waiting = { chunk, taken: resolve };
        release = reject;
        wake();
      }),
    end: () => finish({}),
    fail: (error) => finish({ error }),
    stop: () => {
      isStopped = true;
      release(new Error("nobody reads any longer"));
    },
  };
}
