/** Tells somebody who waits that something has happened, and then nothing for a while. */
export interface QuietBell {
  readonly ring: () => void;
  /** Resolves once for all that happened since it resolved last. @throws the signal's reason */
  readonly next: (signal: AbortSignal) => Promise<void>;
}

/** So long must nothing happen: editors write a file in several steps. */
const defaultQuietMs = 80;
/** Something that happens all the time is told all the same, so often. */
const longestQuietMs = 400;
/** `setTimeout` takes no more. */
const longestTimerMs = 2 ** 31 - 1;

export function createQuietBell(quietMs: number = defaultQuietMs): QuietBell {
  let firstAt: number | undefined;
  let lastAt = 0;
  let wake: (() => void) | undefined;

  function pause(forMs: number | undefined, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        wake = undefined;
        signal.removeEventListener("abort", end);
        resolve();
      };
      // A promise keeps no process alive, and there may be no folder to follow just now.
      const timer = setTimeout(end, Math.max(1, forMs ?? longestTimerMs));
      if (forMs === undefined) wake = end;
      signal.addEventListener("abort", end, { once: true });
    });
  }

  return {
    ring: () => {
      lastAt = performance.now();
      firstAt ??= lastAt;
      wake?.();
    },
    next: async (signal) => {
      for (;;) {
        signal.throwIfAborted();
        const now = performance.now();
        const isOver = now - lastAt >= quietMs || now - (firstAt ?? now) >= longestQuietMs;
        if (firstAt !== undefined && isOver) {
          firstAt = undefined;
          return;
        }
        await pause(firstAt === undefined ? undefined : quietMs - (now - lastAt), signal);
      }
    },
  };
}
