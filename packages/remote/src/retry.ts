import { setTimeout as delay } from "node:timers/promises";
import { asRemoteError, isRetryable } from "./remote-error.ts";

/** How often a call is made, at the most. */
export const maxAttempts = 4;
/** Before the second attempt about so long (ms), doubled before each further one. */
const firstDelayMs = 100;

/**
 * Makes a call again that failed with a status that may pass, after a growing time that is spread at random (so that a hundred jobs do not come back
 * in one moment). The signal bounds all attempts together.
 * @throws {RemoteError} of the last attempt
 */
export async function withRetries<Value>(
  attempt: (count: number) => Promise<Value>,
  signal: AbortSignal,
  random: () => number = Math.random,
): Promise<Value> {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt(count);
    } catch (error) {
      const failure = asRemoteError(error);
      if (signal.aborted || count >= maxAttempts || !isRetryable(failure)) throw failure;
      const longest = firstDelayMs * 2 ** (count - 1);
      // What ended the wait is seen by the next attempt.
      await delay(longest * (0.5 + random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) throw failure;
    }
  }
}
