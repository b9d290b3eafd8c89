import type { Digest } from "@cuenv/digest";
import { createRecentDigests } from "./recent-digests.ts";

/** What was found present is not looked for again within (ms). */
export const presentMs: number = 5_000;
/**
 * What was found absent is called so again within (ms), unless it was stored through here meanwhile. Many jobs of one commit ask for the same new blobs at the same
 * time; the worst that an old "absent" does is that a blob is uploaded once more.
 */
export const absentMs: number = 1_000;

/** Which blobs were there a moment ago, and which were not, as those saw it who read certain namespaces. */
export interface PresenceMemory {
  /** Those that were not there, or of which nothing is known. */
  absent(readable: readonly string[], digests: readonly Digest[]): readonly Digest[];
  /** Of those, the ones of which nothing is known. */
  unknown(readable: readonly string[], digests: readonly Digest[]): readonly Digest[];
  add(readable: readonly string[], digest: Digest): void;
  addAbsent(readable: readonly string[], digests: readonly Digest[]): void;
  /** It was gone, or damaged, for everybody. */
  delete(digest: Digest): void;
}

export function createPresenceMemory(now: () => number): PresenceMemory {
  const present = createRecentDigests(presentMs, now);
  const absent = createRecentDigests(absentMs, now);
  return {
    absent(readable, digests) {
      const isPresent = present.within(viewsOf(readable));
      return digests.filter((digest) => !isPresent(digest));
    },
    unknown(readable, digests) {
      const isAbsent = absent.within([viewOf(readable)]);
      return digests.filter((digest) => !isAbsent(digest));
    },
    add(readable, digest) {
      absent.delete(digest);
      present.add(viewOf(readable), digest);
    },
    addAbsent(readable, digests) {
      const view = viewOf(readable);
      for (const digest of digests) absent.add(view, digest);
    },
    delete: (digest) => present.delete(digest),
  };
}

function viewOf(readable: readonly string[]): string {
  return readable.join(" ");
}

/** What is there for one of the namespaces is there for all of them together. */
function viewsOf(readable: readonly string[]): readonly string[] {
  return readable.length === 1 ? readable : [viewOf(readable), ...readable];
}
