import type { CacheStatistics, FolderUse } from "@cuenv/cache/maintenance";
import type { CacheSettings } from "@cuenv/config";

/** The document of `cuenv cache stats --json`, version 1; docs/schemas/cache-stats.schema.json says what each field means. */
export function statisticsDocument(
  settings: CacheSettings,
  { runs, disk }: { readonly runs: CacheStatistics; readonly disk: FolderUse },
): Record<string, unknown> {
  const { sinceMs, windows, tasks, averageLookupMs, averageStoreMs, lookupMs, storeMs, ...counts } =
    runs;
  return {
    version: 1,
    cacheDir: settings.cacheDir,
    retentionDays: settings.statsRetentionDays,
    since: new Date(sinceMs).toISOString(),
    ...counts,
    hitRate: rate(runs.hitRate),
    missRate: rate(runs.missRate),
    lookupMs: milliseconds(lookupMs),
    storeMs: milliseconds(storeMs),
    averageLookupMs: milliseconds(averageLookupMs),
    averageStoreMs: milliseconds(averageStoreMs),
    windows: windows.map(({ sinceMs: start, ...window }) => ({
      ...window,
      since: new Date(start).toISOString(),
      hitRate: rate(window.hitRate),
      missRate: rate(window.missRate),
    })),
    entries: disk.results.files,
    blobs: disk.blobs.files,
    diskBytes: Object.values(disk).reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: disk.results.bytes + disk.blobs.bytes,
    maxSizeBytes: settings.maxSizeBytes,
    disk,
    tasks: tasks.map((task) => ({ ...task, hitRate: rate(task.hitRate) })),
  };
}

/** JSON has no undefined; null says that there was nothing to count. */
function rate(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1e6) / 1e6;
}

function milliseconds(value: number | undefined): number | null {
  return value === undefined ? null : Math.round(value * 1000) / 1000;
}
