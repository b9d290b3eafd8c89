import { claimedKeyIds, maxEntryBytes } from "@cuenv/action-cache";
import { openCacheFolder, removeTree, storeUnavailable } from "@cuenv/cas";
import { scanEntries } from "@cuenv/cas/maintenance";
import type { CacheSettings } from "@cuenv/config";

/**
 * Removes all entries that say they were signed with a key, in every namespace. Their blobs go with the next eviction, unless other
 * entries name them. @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason
 */
export async function purgeEntriesOf(
  settings: CacheSettings,
  keyId: string,
  signal?: AbortSignal,
): Promise<{ readonly entries: number; readonly bytes: number }> {
  const folder = openCacheFolder({ root: settings.cacheDir, durability: settings.durability });
  let entries = 0;
  let bytes = 0;
  try {
    folder.assertWritable();
    for await (const { path, sizeBytes } of scanEntries(folder.layout, { signal })) {
      const entry = folder.readFile(path, maxEntryBytes);
      if (entry === undefined || !claimedKeyIds(entry).includes(keyId)) continue;
      removeTree(path);
      entries += 1;
      bytes += sizeBytes;
    }
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw storeUnavailable(`purge ${folder.root}`, error, "CAS_STORE_UNAVAILABLE");
  }
  return { entries, bytes };
}
