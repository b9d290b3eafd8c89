/** Whether slow look-ups that found nothing have cost a run too much. */
export interface SlowMisses {
  /** Times of a clock that does not go back (ms). True: this one was the last straw; counting begins anew. */
  missed(startedMs: number, endedMs: number): boolean;
  /** A hit is worth waiting for. */
  hit(): void;
}

/** A look-up that takes longer is slow (1 s). */
const slowMs = 1000;

/**
 * Each call of a remote cache is bounded, but a chain of tasks makes one after another: a cache that takes 5 s to say that it has nothing would cost a thousand
 * tasks 5 s each. So what slow misses cost, side by side counted once, is bounded as one call is.
 */
export function createSlowMisses(budgetMs: number): SlowMisses {
  let waitedMs = 0;
  let countedUntilMs = 0;
  return {
    missed: (startedMs, endedMs) => {
      if (endedMs - startedMs < slowMs) return false;
      waitedMs += Math.max(0, endedMs - Math.max(startedMs, countedUntilMs));
      countedUntilMs = endedMs;
      if (waitedMs < budgetMs) return false;
      waitedMs = 0;
      return true;
    },
    hit: () => {
      waitedMs = 0;
    },
  };
}
