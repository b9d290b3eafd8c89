import { setImmediate } from "node:timers/promises";

/** Small files that are dealt with at a stretch: some ten milliseconds. */
const filesPerTurn = 64;

/** Pieces of a large file (1 MiB) that are dealt with at a stretch: some ten milliseconds, too. */
export const piecesPerTurn = 16;

/**
 * To be awaited after each of many small files, or pieces of a large one, which are read and written synchronously: now and then, after `perTurn` of them, others get a turn. Without it a task with a hundred thousand outputs
 * leaves no beat of a lease to its process, which others take for dead then, and no ear for a signal.
 */
export function createTurns(perTurn: number = filesPerTurn): () => Promise<void> | undefined {
  let done = 0;
  return () => {
    done += 1;
    return done % perTurn === 0 ? setImmediate() : undefined;
  };
}
