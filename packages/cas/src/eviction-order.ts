import { setImmediate } from "node:timers/promises";

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

/** Units that are sorted in one turn: some milliseconds. */
const runLength = 8192;

/**
 * As {@link evictionOrder}, one by one, for millions of which few are wanted: sorted in runs, between which others get a turn, and merged as far as
 * somebody asks.
 */
export async function* inEvictionOrder<Unit extends EvictionUnit>(
  policy: EvictionPolicy,
  units: readonly Unit[],
): AsyncGenerator<Unit> {
  const compare = compareBy(policy);
  /** A heap of runs: the one whose next unit goes first is at the top. */
  const heap: Unit[][] = [];
  for (let start = 0; start < units.length; start += runLength) {
    // Backwards, so that the next one is the last.
    heap.push(
      units.slice(start, start + runLength).toSorted((left, right) => compare(right, left)),
    );
    await setImmediate();
  }
  heap.sort((left, right) => compareNext(left, right, compare));
  for (let [first] = heap; first !== undefined; [first] = heap) {
    const unit = first.pop();
    if (unit !== undefined) yield unit;
    const last = first.length === 0 ? heap.pop() : undefined;
    if (last !== undefined && heap.length > 0) heap[0] = last;
    sink(heap, compare);
  }
}

function compareNext<Unit>(
  left: readonly Unit[],
  right: readonly Unit[],
  compare: (left: Unit, right: Unit) => number,
): number {
  const [one, other] = [left.at(-1), right.at(-1)];
  return one === undefined || other === undefined ? 0 : compare(one, other);
}

/** Brings the top of the heap to its place. */
function sink<Unit>(heap: Unit[][], compare: (left: Unit, right: Unit) => number): void {
  let at = 0;
  for (;;) {
    let least = at;
    for (const child of [2 * at + 1, 2 * at + 2]) {
      const [one, other] = [heap[child], heap[least]];
      if (one !== undefined && other !== undefined && compareNext(one, other, compare) < 0)
        least = child;
    }
    const [upper, lower] = [heap[at], heap[least]];
    if (least === at || upper === undefined || lower === undefined) return;
    heap[at] = lower;
    heap[least] = upper;
    at = least;
  }
}

/** The units in the order in which they are evicted. */
export function evictionOrder<Unit extends EvictionUnit>(
  policy: EvictionPolicy,
  units: readonly Unit[],
): Unit[] {
  return units.toSorted(compareBy(policy));
}

function compareBy(policy: EvictionPolicy): Compare {
  const compares = [...rankings[policy], byName];
  return (left, right) => {
    for (const compare of compares) {
      const difference = compare(left, right);
      if (difference !== 0) return difference;
    }
    return 0;
  };
}
