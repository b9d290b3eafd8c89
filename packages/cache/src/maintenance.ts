/** Looking after a cache folder: clearing, cleaning up, verifying, counting. Apart from the index, because no hit needs it. */
import {
  checkStoredEntry,
  checkStoredSignature,
  entryReferences,
  type VerifyEnvelope,
} from "@cuenv/action-cache";
import { type CacheFolder, openCacheFolder } from "@cuenv/cas";
import {
  clearStore,
  evict,
  evictWhenNeeded,
  measureStore,
  type StoreUse,
  type Verification,
  verifyStore,
} from "@cuenv/cas/maintenance";
import type { CacheSettings } from "@cuenv/config";
import { clearMemos } from "./clear-memos.ts";
import { type CacheStatistics, readStatistics } from "./run-statistics.ts";

export type { StoreProblem, Verification } from "@cuenv/cas/maintenance";
export { attest } from "./attest.ts";
export {
  readStoredResult,
  type StoredResult,
  type StoredResultOptions,
} from "./read-stored-result.ts";
export { type Statement, statementType } from "./provenance-statement.ts";
export { purgeEntriesOf } from "./purge-entries.ts";
export { type StoredTrust, storedTrust } from "./stored-trust.ts";

/** What was removed: entries, and bytes of entries and blobs. */
export interface Removed {
  readonly entries: number;
  readonly bytes: number;
}

function openFolder(settings: CacheSettings): CacheFolder {
  return openCacheFolder({ root: settings.cacheDir, durability: settings.durability });
}

/**
 * Removes every stored result and what is remembered of workspaces, at once. Only files that are the cache's own go; running builds have
 * misses, nothing worse. Statistics and the salt of secrets stay, and leases of runs that are going on.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function clearCache(settings: CacheSettings, signal?: AbortSignal): Promise<Removed> {
  const folder = openFolder(settings);
  const { removedEntries, removedBytes } = await clearStore(folder, signal);
  clearMemos(settings.cacheDir, folder.now());
  return { entries: removedEntries, bytes: removedBytes };
}

/**
 * Removes what was not used for `maxAgeMs`, and then what is beyond `maxBytes`, in the order of the configured policy.
 * Defaults: the configured limits.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function cleanupStaleEntries(
  settings: CacheSettings,
  limits: { readonly maxAgeMs?: number | undefined; readonly maxBytes?: number | undefined } = {},
  signal?: AbortSignal,
): Promise<Removed> {
  const { removedEntries, removedBytes } = await evict({
    folder: openFolder(settings),
    references: entryReferences,
    limits: {
      maxAgeMs: limits.maxAgeMs ?? settings.maxAgeMs,
      maxBytes: limits.maxBytes ?? settings.maxSizeBytes,
    },
    policy: settings.evictionPolicy,
    ...(signal === undefined ? {} : { signal }),
  });
  return { entries: removedEntries, bytes: removedBytes };
}

/**
 * Reads and hashes everything that is stored; with `verify`, asks whose the entries are, too.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function verifyCache(
  settings: CacheSettings,
  repair: boolean,
  signal?: AbortSignal,
  verify?: VerifyEnvelope,
): Promise<Verification> {
  return verifyStore({
    folder: openFolder(settings),
    references: entryReferences,
    check:
      verify === undefined
        ? checkStoredEntry
        : (entry, stored) => checkStoredSignature(entry, stored, verify),
    repair,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Counts of the runs of the last days, true across processes, and what the folder holds now. */
export async function getStatistics(
  settings: CacheSettings,
  signal?: AbortSignal,
): Promise<{ readonly runs: CacheStatistics; readonly store: StoreUse }> {
  const store = await measureStore(openFolder(settings), signal);
  return { runs: readStatistics(settings.cacheDir, settings.statsRetentionDays), store };
}

/**
 * At the end of a run that stored something: keeps the folder within its limits. Never throws: the next run tries again, also when this one was
 * aborted.
 */
export async function keepWithinLimits(
  folder: CacheFolder,
  settings: CacheSettings,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await evictWhenNeeded({
      folder,
      references: entryReferences,
      limits: { maxBytes: settings.maxSizeBytes, maxAgeMs: settings.maxAgeMs },
      policy: settings.evictionPolicy,
      ...(signal === undefined ? {} : { signal }),
    });
  } catch {
    // A folder that cannot be written: whoever stores there was told already.
  }
}
