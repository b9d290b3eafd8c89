/** Bytes that somebody pushes and a store pulls: a chunk is offered when the one before it was taken. */
export interface PushSource extends AsyncIterable<Uint8Array> {
  /** Resolves when the chunk was taken; rejects with what `fail` was given. */
  push(chunk: Uint8Array): Promise<void>;
  end(): void;
  /** Whoever pulls fails with it, and whoever pushes. */
  fail(error: unknown): void;
}

interface Waiting {
  readonly chunk: Uint8Array;
  readonly taken: () => void;
  readonly failed: (error: unknown) => void;
}

export function createPushSource(): PushSource {
  let waiting: Waiting | undefined;
  let isEnded = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  async function* pull(): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (failure !== undefined) throw failure.error;
      if (waiting !== undefined) {
        const { chunk, taken } = waiting;
        waiting = undefined;
        taken();
        yield chunk;
      } else if (isEnded) return;
      else await new Promise<void>((resolve) => void (wake = resolve));
    }
  }
  const iterator = pull();
  const offer = (chunk: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (failure !== undefined) {
        reject(failure.error);
        return;
      }
      waiting = { chunk, taken: resolve, failed: reject };
      notify();
    });
  // Who takes over an upload pushes while the last chunk of the one before still waits.
  let last: Promise<void> = Promise.resolve();
  return {
    [Symbol.asyncIterator]: () => iterator,
    push(chunk) {
      last = last.catch(() => undefined).then(() => offer(chunk));
      return last;
    },
    end() {
      isEnded = true;
      notify();
    },
    fail(error) {
      failure ??= { error };
      waiting?.failed(error);
      waiting = undefined;
      notify();
    },
  };
}
