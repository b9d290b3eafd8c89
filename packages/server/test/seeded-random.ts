/** Choices that a seed decides, so that what went wrong once can be had again. */
export interface Random {
  /** A whole number from 0, below `limit`. */
  below(limit: number): number;
  chance(probability: number): boolean;
  pick<Value>(values: readonly Value[]): Value;
  bytes(length: number): Buffer;
}

/** Streams of one seed have nothing in common: each call has its own, and may be made alone. */
export function createRandom(seed: number, stream: number): Random {
  let state = (seed ^ Math.imul(stream + 1, 0x9e37_79b1)) >>> 0;
  /** mulberry32, by Tommy Ettinger: 32 bits of state, in the public domain. */
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit: number): number => next() % limit;
  return {
    below,
    chance: (probability) => next() / 2 ** 32 < probability,
    pick: (values) => {
      if (values.length === 0) throw new RangeError("nothing to pick from");
      return values[below(values.length)] as (typeof values)[number];
    },
    bytes: (length) => Buffer.from(Uint8Array.from({ length }, () => next())),
  };
}
