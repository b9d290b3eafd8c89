import { setImmediate } from "node:timers/promises";

/** Small files that are dealt with at a stretch: some ten milliseconds. */
const filesPerTurn = 64;

/**
 * To be awaited after each of many small files, which are read and written synchronously: now and then others get a turn. Without it a task with a hundred thousand outputs
 * leaves no beat of a lease to its process, which others take for dead then, and no ear for a signal.
 */
export function createTurns(): () => Promise<void> | undefined {
  let files = 0;
  return () => {
    files += 1;
    return files % filesPerTurn === 0 ? setImmediate() : undefined;
  };
}
