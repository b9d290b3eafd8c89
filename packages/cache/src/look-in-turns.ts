import type { FileIndex } from "@cuenv/digest";
import { createFileLook, type SeenFiles } from "@cuenv/key";
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
 * Looks at the files of a task that has many of them, while others have their turns: 80,000 files at a stretch are two seconds without an ear for a signal.
 * Undefined: they are few, or one cannot be looked at; whoever looks at a stretch says why.
 * @throws the signal's reason
 */
export async function lookInTurns(
  index: FileIndex,
  files: readonly string[],
  signal: AbortSignal | undefined,
): Promise<SeenFiles | undefined> {
  if (files.length < manyFiles) return undefined;
  const pause = createStretch(signal);
  const look = createFileLook(index);
  for (const path of files) {
    try {
      look.add(path);
    } catch {
      return undefined;
    }
    const others = pause();
    if (others !== undefined) await others;
  }
  return look.seen;
}
