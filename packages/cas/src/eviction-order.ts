/** How the least valuable is found. */
export type EvictionPolicy = "LRU" | "LFU" | "FIFO" | "SizeBased";

/** Something that is evicted as a whole: an entry with the blobs that only it names, or a blob that no entry names. */
export interface EvictionUnit {
  /** Ties are broken by it, so that the order is always the same. */
  readonly name: string;
  readonly storedMs: number;
  readonly lastUsedMs: number;
  readonly useCount: number;
  /** An entry counts with all its blobs, shared or not. */
  readonly sizeBytes: number;
}

type Compare = (left: EvictionUnit, right: EvictionUnit) => number;

const byName: Compare = (left, right) => (left.name < right.name ? -1 : 1);
const leastRecent: Compare = (left, right) => left.lastUsedMs - right.lastUsedMs;

const rankings: Readonly<Record<EvictionPolicy, readonly Compare[]>> = {
  /** Longest unused first. */
  LRU: [leastRecent],
  /** Least often used first, of those the longest unused. */
  LFU: [(left, right) => left.useCount - right.useCount, leastRecent],
  /** First stored, first out; use does not matter. */
  FIFO: [(left, right) => left.storedMs - right.storedMs],
  /** Largest first, of equals the longest unused. */
  SizeBased: [(left, right) => right.sizeBytes - left.sizeBytes, leastRecent],
};

/** The units in the order in which they are evicted. */
export function evictionOrder<Unit extends EvictionUnit>(
  policy: EvictionPolicy,
  units: readonly Unit[],
): Unit[] {
  const compares = [...rankings[policy], byName];
  return units.toSorted((left, right) => {
    for (const compare of compares) {
      const difference = compare(left, right);
      if (difference !== 0) return difference;
    }
    return 0;
  });
}
