/** Looking after a disk store: eviction, verification, clearing, counting. Apart from the index, because no hit needs it. */
export { type Cleared, type ClearOptions, clearStore } from "./clear-store.ts";
export {
  type EntryReferences,
  evict,
  type Eviction,
  type EvictionLimits,
  type EvictOptions,
} from "./evict.ts";
export { evictWhenNeeded } from "./evict-when-needed.ts";
export { evictionOrder, type EvictionPolicy, type EvictionUnit } from "./eviction-order.ts";
export { measureStore, type StoreUse } from "./measure-store.ts";
export { scanEntries, type StoredEntry } from "./scan-store.ts";
export {
  type EntryCheck,
  type StoreProblem,
  type Verification,
  verifyStore,
  type VerifyOptions,
} from "./verify-store.ts";
export { readTotals, type Totals } from "./usage-journal.ts";
