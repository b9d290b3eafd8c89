import type { Digest } from "@cuenv/digest";

/** So many are remembered; then it begins anew. Some 150 bytes each. */
const maxRemembered = 100_000;

interface Recent {
  readonly sizeBytes: number;
  readonly untilMs: number;
}

/** Digests that somebody was told something of a moment ago, by view: who it was. */
export interface RecentDigests {
  /** Whether it is so of a digest, in one of the views. */
  within(views: readonly string[]): (digest: Digest) => boolean;
  add(view: string, digest: Digest): void;
  /** It is so for nobody any longer. */
  delete(digest: Digest): void;
}

export function createRecentDigests(lifeMs: number, now: () => number): RecentDigests {
  let remembered = 0;
  const byView = new Map<string, Map<string, Recent>>();
  return {
    within(views) {
      const nowMs = now();
      const known = views.flatMap((view) => byView.get(view) ?? []);
      return ({ hash, sizeBytes }) => {
        for (const hashes of known) {
          const found = hashes.get(hash);
          if (found?.sizeBytes === sizeBytes && found.untilMs > nowMs) return true;
        }
        return false;
      };
    },
    add(view, { hash, sizeBytes }) {
      if (remembered >= maxRemembered) {
        byView.clear();
        remembered = 0;
      }
      const hashes = byView.get(view) ?? new Map<string, Recent>();
      byView.set(view, hashes);
      hashes.set(hash, { sizeBytes, untilMs: now() + lifeMs });
      remembered += 1;
    },
    delete({ hash }) {
      for (const hashes of byView.values()) hashes.delete(hash);
    },
  };
}
