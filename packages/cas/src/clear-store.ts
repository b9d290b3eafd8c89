import { lstatSync, readdirSync, rmdirSync } from "node:fs";
import { removeQuietly } from "./atomic-write.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { scanBlobs, scanEntries, type StoredFile } from "./scan-store.ts";
import { storeUnavailable } from "./system-error.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

export interface Cleared {
  readonly removedEntries: number;
  readonly removedBlobs: number;
  readonly removedBytes: number;
}

/**
 * Empties the store: entries first, then blobs, quarantine, journal and index, and what dead processes left in `tmp`. Only files that are
 * the cache's own by name and place go; folders go when they are empty. Processes that store or restore meanwhile have misses, nothing worse.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason.
 */
export async function clearStore(folder: CacheFolder, signal?: AbortSignal): Promise<Cleared> {
  const { layout } = folder;
  try {
    if (lstatSync(layout.base, { throwIfNoEntry: false }) === undefined) {
      return { removedEntries: 0, removedBlobs: 0, removedBytes: 0 };
    }
    folder.assertWritable();
    folder.saveUses();
    const entries = await removeAll(scanEntries(layout, signal));
    const blobs = await removeAll(scanBlobs(layout, signal));
    for (const name of namesIn(layout.quarantine)) removeQuietly(`${layout.quarantine}/${name}`);
    removeQuietly(layout.index);
    for (const name of namesIn(layout.base)) {
      if (name === "journal" || name.startsWith("journal."))
        removeQuietly(`${layout.base}/${name}`);
    }
    sweepAbandoned(layout.temporary, folder.now());
    for (const directory of [layout.entries, layout.blobs, layout.quarantine])
      removeEmpty(directory);
    return {
      removedEntries: entries.count,
      removedBlobs: blobs.count,
      removedBytes: entries.bytes + blobs.bytes,
    };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw storeUnavailable(`clear ${folder.root}`, error, "CAS_STORE_UNAVAILABLE");
  }
}

async function removeAll(
  files: AsyncIterable<StoredFile>,
): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const { path, sizeBytes } of files) {
    if (!removeQuietly(path)) continue;
    count += 1;
    bytes += sizeBytes;
  }
  return { count, bytes };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Bottom-up; a folder that holds anything, be it somebody's own file, stays. A writer that loses its folder makes it again. */
function removeEmpty(directory: string): void {
  for (const name of namesIn(directory)) {
    const path = `${directory}/${name}`;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeEmpty(path);
  }
  try {
    rmdirSync(directory);
  } catch {
    // Not empty.
  }
}
