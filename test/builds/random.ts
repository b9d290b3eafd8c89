/** Numbers that look random and come again with the seed. */
export interface Random {
  /** From 0 up to, and without, `end`. */
  below(end: number): number;
  pick<Value>(values: readonly Value[]): Value;
  /** True in so many of 100 cases. */
  percent(share: number): boolean;
  /** Some of them, in their order. */
  some<Value>(values: readonly Value[], most: number): Value[];
}

/** The generator called mulberry32, by Tommy Ettinger (public domain). */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number): number => Math.floor(next() * end);
  return {
    below,
    pick: (values) => {
      const value = values[below(values.length)];
      if (value === undefined) throw new Error("there is nothing to pick from");
      return value;
    },
    percent: (share) => next() * 100 < share,
    some: (values, most) => {
      const wanted = below(Math.min(most, values.length) + 1);
      const taken = new Set<number>();
      while (taken.size < wanted) taken.add(below(values.length));
      return values.filter((_, at) => taken.has(at));
    },
  };
}
