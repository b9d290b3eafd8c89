import type { FileIndex } from "@cuenv/digest";
import { setImmediate } from "node:timers/promises";

/** Fewer are looked at and hashed at a stretch, without a question for the time after each. */
const manyFiles = 512;
/** Then others get a turn: heartbeats of leases, output of tasks, signals (ms). */
const stretchMs = 50;

/** Lets others have a turn where so much was done since it was made, or since the last time; then it throws the signal's reason, if there is one. */
export function createStretch(signal: AbortSignal | undefined): () => Promise<void> | undefined {
  let sinceMs = uptimeMs();
  const pause = async (): Promise<void> => {
    await setImmediate();
    signal?.throwIfAborted();
    sinceMs = uptimeMs();
  };
  return () => (uptimeMs() - sinceMs < stretchMs ? undefined : pause());
}

function uptimeMs(): number {
  return process.uptime() * 1000;
}

/**
 * Looks at the files of a task that has many of them, and hashes those that are not known, so that who needs them next finds them in the index: 80,000 files at a
 * stretch are two seconds without an ear for a signal. What cannot be looked at is left to who comes next.
 * @throws the signal's reason
 */
export async function lookInTurns(
  index: FileIndex,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (files.length < manyFiles) return;
  const pause = createStretch(signal);
  for (const path of files) {
    try {
      if (index.stat(path)?.kind === "file") index.digest(path);
    } catch {
      return;
    }
    const others = pause();
    if (others !== undefined) await others;
  }
}
