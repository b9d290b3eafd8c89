import { getStatistics } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { formatBytes, formatDuration } from "../run/format-duration.ts";

/** `cuenv cache stats`: what the runs of all processes did, and what the folder holds. */
export async function runCacheStats(invocation: Invocation): Promise<number> {
  const { settings } = await openSettings(invocation);
  const { runs, store } = await getStatistics(settings);
  const { tasks, runs: runCount, ...counts } = runs;
  const diskBytes = store.entryBytes + store.blobBytes;
  if (invocation.flags["json"] === true) {
    const rows = Object.entries(tasks).map(([name, each]) => ({ name, ...each }));
    const sizes = {
      entries: store.entries,
      blobs: store.blobs,
      diskBytes,
      quarantinedBytes: store.quarantinedBytes,
    };
    const document = {
      version: 1,
      cacheDir: settings.cacheDir,
      days: settings.statsRetentionDays,
      runs: runCount,
    };
    printOut(`${JSON.stringify({ ...document, ...counts, ...sizes, tasks: rows })}\n`);
    return 0;
  }
  const rate = runs.hitRate === undefined ? "" : ` (${Math.round(runs.hitRate * 100)} % hits)`;
  const refused = Object.entries(runs.refused)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(", ");
  const average = (ms: number | undefined): string => (ms === undefined ? "–" : formatDuration(ms));
  printOut(
    [
      `Cache folder   ${settings.cacheDir}`,
      `On disk        ${formatBytes(diskBytes)} of ${formatBytes(settings.maxSizeBytes)}: ${store.entries} results, ${store.blobs} blobs`,
      `Last ${settings.statsRetentionDays} days   ${runCount} runs: ${runs.hits} hits, ${runs.misses} misses${rate}, ${runs.stored} stored`,
      `Saved          ${formatDuration(runs.savedMs)}; ${formatBytes(runs.restoredBytes)} restored`,
      ...(refused === "" ? [] : [`Not trusted    ${refused}`]),
      `Averages       look-up ${average(runs.averageLookupMs)}, store ${average(runs.averageStoreMs)}`,
      "",
    ].join("\n"),
  );
  return 0;
}
