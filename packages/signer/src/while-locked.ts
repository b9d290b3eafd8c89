import { closeSync, openSync, rmSync } from "node:fs";

/** A change takes some milliseconds; one that takes longer was ended before it could remove its lock. */
const longestWaitMs = 5000;
const pauseMs = 10;

/**
 * Does `step` while nobody else does one under the same lock: a file, which is there meanwhile. One that is left behind is not taken over, since of two
 * that do so at once one would take the other's. `busy`: it was there all the time, and nothing was done.
 * @throws system errors, and what `step` throws
 */
export function whileLocked(
  lock: string,
  step: () => void,
  waitMs: number = longestWaitMs,
): "done" | "busy" {
  for (let waited = 0; !take(lock); waited += pauseMs) {
    if (waited >= waitMs) return "busy";
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
  try {
    step();
  } finally {
    // One that somebody removed by hand hides neither what was done nor why it was not.
    rmSync(lock, { force: true });
  }
  return "done";
}

function take(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx", 0o600));
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}
