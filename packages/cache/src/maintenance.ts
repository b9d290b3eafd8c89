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
  type Verification,
  verifyStore,
} from "@cuenv/cas/maintenance";
import type { CacheSettings } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { clearMemos, tidyCompiledCode, tidyMemos } from "./clear-memos.ts";
import { type FolderUse, measureFolder } from "./folder-use.ts";
import { type CacheStatistics, readStatistics } from "./read-statistics.ts";
import { tidyStatistics } from "./tidy-statistics.ts";

export type { StoreProblem, Verification } from "@cuenv/cas/maintenance";
export { attest } from "./attest.ts";
export { type FolderKind, folderKinds, type FolderUse } from "./folder-use.ts";
export type { CacheStatistics, StatisticsWindow, TaskStatistics } from "./read-statistics.ts";
export {
  readStoredResult,
  type StoredResult,
  type StoredResultOptions,
} from "./read-stored-result.ts";
export { type Statement, statementType } from "./provenance-statement.ts";
export { purgeEntriesOf } from "./purge-entries.ts";
export { type StoredTrust, storedTrust } from "./stored-trust.ts";

/** Removes what no limit of the store counts, once it is old: statistics, what is remembered, compiled code. Never throws. */
export function tidyCacheFolder(
  { cacheDir, statsRetentionDays }: CacheSettings,
  nowMs: number,
): void {
  tidyStatistics(cacheDir, statsRetentionDays, nowMs);
  tidyMemos(cacheDir, nowMs);
  tidyCompiledCode(cacheDir, nowMs);
}

/** What was removed. */
export interface Removed {
  readonly entries: number;
  readonly blobs: number;
  /** Of all files that went. */
  readonly bytes: number;
}

export interface MaintenanceOptions {
  /** Told now and then how many files were dealt with, and how many bytes. */
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Whether the folder may be used, as a run finds out: one of ours that others could write to is made private, and told in `mended`.
 * Nothing is made.
 */
export function inspectCacheFolder(settings: CacheSettings): {
  readonly problem: CuenvError | undefined;
  readonly mended: readonly string[];
} {
  const mended: string[] = [];
  const folder = openCacheFolder({
    root: settings.cacheDir,
    readOnly: true,
    onWarning: (message) => mended.push(message),
  });
  try {
    folder.assertReadable();
    return { problem: undefined, mended };
  } catch (error) {
    if (error instanceof CuenvError) return { problem: error, mended };
    throw error;
  }
}

function openFolder(settings: CacheSettings): CacheFolder {
  return openCacheFolder({ root: settings.cacheDir, durability: settings.durability });
}

/**
 * Removes every stored result and what is remembered of workspaces, at once. Only files that are the cache's own go; running builds have
 * misses, nothing worse. Statistics and the salt of secrets stay, and leases of runs that are going on.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function clearCache(
  settings: CacheSettings,
  options: MaintenanceOptions = {},
): Promise<Removed> {
  const folder = openFolder(settings);
  let memoBytes = 0;
  const cleared = await clearStore(folder, options).finally(() => {
    if (options.signal?.aborted !== true) memoBytes = clearMemos(settings.cacheDir, folder.now());
  });
  return {
    entries: cleared.removedEntries,
    blobs: cleared.removedBlobs,
    bytes: cleared.removedBytes + cleared.otherBytes + memoBytes,
  };
}

/**
 * Removes what was not used for `maxAgeMs`, and then what is beyond `maxBytes`, in the order of the configured policy; and statistics beyond their
 * retention, and what is remembered of workspaces that nobody used for 30 days, which do not count. Defaults: the configured limits.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function cleanupStaleEntries(
  settings: CacheSettings,
  limits: { readonly maxAgeMs?: number | undefined; readonly maxBytes?: number | undefined } = {},
  { onProgress, signal }: MaintenanceOptions = {},
): Promise<Removed> {
  const folder = openFolder(settings);
  const { removedEntries, removedBlobs, removedBytes } = await evict({
    folder,
    references: entryReferences,
    limits: {
      maxAgeMs: limits.maxAgeMs ?? settings.maxAgeMs,
      maxBytes: limits.maxBytes ?? settings.maxSizeBytes,
    },
    policy: settings.evictionPolicy,
    onProgress,
    ...(signal === undefined ? {} : { signal }),
  });
  tidyCacheFolder(settings, folder.now());
  return { entries: removedEntries, blobs: removedBlobs, bytes: removedBytes };
}

/**
 * Reads and hashes everything that is stored; with `verify`, asks whose the entries are, too.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE
 */
export async function verifyCache(
  settings: CacheSettings,
  options: MaintenanceOptions & {
    readonly repair: boolean;
    readonly verify?: VerifyEnvelope | undefined;
  },
): Promise<Verification> {
  const { repair, verify, onProgress, signal } = options;
  return verifyStore({
    folder: openFolder(settings),
    references: entryReferences,
    check:
      verify === undefined
        ? checkStoredEntry
        : (entry, stored) => checkStoredSignature(entry, stored, verify),
    repair,
    onProgress,
    ...(signal === undefined ? {} : { signal }),
  });
}

/**
 * Counts of the runs of all processes since `sinceMs` (default: as long as they are kept), and what the folder holds now.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason.
 */
export async function getStatistics(
  settings: CacheSettings,
  options: MaintenanceOptions & { readonly sinceMs?: number | undefined } = {},
): Promise<{ readonly runs: CacheStatistics; readonly disk: FolderUse }> {
  openFolder(settings).assertReadable();
  const disk = await measureFolder(settings.cacheDir, options);
  const { statsRetentionDays: days } = settings;
  return {
    runs: readStatistics(settings.cacheDir, { days, sinceMs: options.sinceMs }),
    disk,
  };
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
