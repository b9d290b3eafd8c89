import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessOutcome } from "./outcome.ts";

export interface AttemptOptions<Outcome extends ProcessOutcome> {
  /** As in the task: `attempts` is the number of runs in all; below 1 counts as 1. */
  readonly retry: { readonly attempts: number; readonly delayMs: number };
  /** Told of each run that is followed by another. `attempt` counts from 1. */
  readonly onRetry?: (failed: { readonly attempt: number; readonly outcome: Outcome }) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Runs until it succeeds, or the attempts are used up. What another run cannot mend (not found, cancelled) is not tried again. */
export async function runAttempts<Outcome extends ProcessOutcome>(
  run: (attempt: number) => Promise<Outcome>,
  options: AttemptOptions<Outcome>,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await run(attempt);
    const again =
      outcome.status === "failed" ||
      outcome.status === "signalled" ||
      outcome.status === "timedOut";
    if (!again || attempt >= options.retry.attempts || options.signal?.aborted === true)
      return outcome;
    options.onRetry?.({ attempt, outcome });
    try {
      await sleep(
        options.retry.delayMs,
        undefined,
        options.signal === undefined ? {} : { signal: options.signal },
      );
    } catch {
      return outcome; // interrupted while waiting: the last attempt's outcome stands
    }
  }
}
