import { CuenvError } from "@cuenv/errors";
import type { ActionStore } from "./action-store.ts";

export interface TieredActionStoreOptions {
  /** Nearest first; all of one digest function. */
  readonly tiers: readonly [ActionStore, ...ActionStore[]];
  /** A tier failed and another one did its work: for a warning. */
  readonly onTierFailure?: (tier: ActionStore, error: unknown) => void;
}

/**
 * Several stores as one. `get` asks them in order and writes what a later one has back to the earlier ones; `put` and `delete` go to all, and
 * succeed when one of them did; `create` is decided by the last. An entry is not judged here: whoever reads it does that, and forgets it in all tiers.
 */
export function createTieredActionStore(options: TieredActionStoreOptions): ActionStore {
  const { tiers, onTierFailure } = options;
  const [first] = tiers;
  if (tiers.some((tier) => tier.digestFunction !== first.digestFunction)) {
    throw new CuenvError("INTERNAL", "cannot join stores: their digest functions differ");
  }
  /** All tiers; rejects when none succeeded. */
  const onEach = async (
    chosen: readonly ActionStore[],
    step: (tier: ActionStore) => Promise<void>,
  ): Promise<void> => {
    let failure: unknown;
    let succeeded = 0;
    for (const tier of chosen) {
      try {
        await step(tier);
        succeeded += 1;
      } catch (error) {
        if (!isUnavailable(error)) throw error;
        failure = error;
        onTierFailure?.(tier, error);
      }
    }
    if (succeeded === 0 && failure !== undefined) throw failure;
  };
  return {
    digestFunction: first.digestFunction,
    get: async (key, signal) => {
      let failure: unknown;
      let answered = 0;
      for (const [position, tier] of tiers.entries()) {
        try {
          const entry = await tier.get(key, signal);
          answered += 1;
          if (entry === undefined) continue;
          // A failed write back was told to the listener; the entry is good all the same.
          await onEach(tiers.slice(0, position), (earlier) =>
            earlier.put(key, entry, signal),
          ).catch(() => undefined);
          return entry;
        } catch (error) {
          if (!isUnavailable(error)) throw error;
          failure = error;
          onTierFailure?.(tier, error);
        }
      }
      if (answered === 0) throw failure;
      return undefined;
    },
    put: (key, entry, signal) => onEach(tiers, (tier) => tier.put(key, entry, signal)),
    // The last tier is the lasting one: what it says is so, and the others follow.
    create: async (key, entry, signal) => {
      let failure: unknown;
      for (const [distance, tier] of tiers.toReversed().entries()) {
        try {
          const isMade = await tier.create(key, entry, signal);
          const earlier = tiers.slice(0, tiers.length - 1 - distance);
          if (isMade) {
            await onEach(earlier, (other) => other.put(key, entry, signal)).catch(() => undefined);
          }
          return isMade;
        } catch (error) {
          if (!isUnavailable(error)) throw error;
          failure = error;
          onTierFailure?.(tier, error);
        }
      }
      throw failure;
    },
    delete: (key, signal) => onEach(tiers, (tier) => tier.delete(key, signal)),
    quarantine: (key) => onEach(tiers, async (tier) => tier.quarantine?.(key)),
  };
}

function isUnavailable(error: unknown): boolean {
  return error instanceof CuenvError && error.code === "AC_STORE_UNAVAILABLE";
}
