import type {
  CacheStatistics,
  FolderKind,
  FolderUse,
  TaskStatistics,
} from "@cuenv/cache/maintenance";
import type { CacheSettings } from "@cuenv/config";
import { visibleText } from "../report/visible-text.ts";
import { formatBytes, formatDuration } from "../run/format-duration.ts";

/** More tasks than these are left to --json. */
const shownTasks = 15;

/** `cuenv cache stats` for people: within 80 columns, unless names are longer. */
export function statisticsText(
  settings: CacheSettings,
  { runs, disk }: { readonly runs: CacheStatistics; readonly disk: FolderUse },
  options: { readonly since: string | undefined; readonly project: string | undefined },
): string {
  const time = options.since ?? `${settings.statsRetentionDays} days`;
  const lines = [
    `Cache folder  ${visibleText(settings.cacheDir)}`,
    "",
    ...diskLines(settings, disk),
    "",
  ];
  if (runs.windows.every((window) => window.runs === 0)) {
    lines.push("No runs yet that asked the cache for anything.");
    return `${lines.join("\n")}\n`;
  }
  lines.push(...windowLines(runs, time, options.since), "", ...sumLines(runs));
  const tasks = runs.tasks.slice(0, shownTasks);
  if (tasks.length > 0) lines.push("", ...taskLines(tasks, options.project));
  const more = runs.tasks.length - tasks.length;
  if (more > 0) lines.push(`… and ${more} more; --json has all`);
  return `${lines.join("\n")}\n`;
}

const kindNames: Readonly<Record<FolderKind, string>> = {
  results: "results",
  blobs: "blobs",
  remembered: "remembered of workspaces",
  statistics: "statistics",
  compiledCode: "compiled code of cuenv",
  quarantine: "quarantine",
  temporary: "being written, or left over",
  other: "other",
};

function diskLines(settings: CacheSettings, disk: FolderUse): string[] {
  const stored = disk.results.bytes + disk.blobs.bytes;
  const kinds = Object.entries(kindNames) as [FolderKind, string][];
  const rows = kinds
    .filter(([kind]) => disk[kind].files > 0)
    .map(([kind, name]) => [name, `${disk[kind].files}`, formatBytes(disk[kind].bytes)]);
  const total = Object.values(disk).reduce((sum, { bytes }) => sum + bytes, 0);
  const limit = `${formatBytes(stored)} of ${formatBytes(settings.maxSizeBytes)} for results and blobs`;
  const sum = `On disk       ${formatBytes(total)}`;
  return total === 0
    ? ["On disk       nothing"]
    : [`${sum}; ${limit}`, ...table(rows, "lrr").map((row) => `  ${row}`)];
}

function windowLines(runs: CacheStatistics, time: string, since: string | undefined): string[] {
  const names = { hour: "last hour", day: "last day", week: "last week", all: `last ${time}` };
  const chosen = since === undefined ? runs.windows : [{ ...runs, name: "all" as const }];
  const label = since === undefined ? names : { ...names, all: `since ${since}` };
  const rows = chosen.map((each) => [
    label[each.name],
    `${each.runs}`,
    `${each.hits}`,
    `${each.misses}`,
    percent(each.hitRate),
    percent(each.missRate),
    `${each.errors}`,
  ]);
  return table(
    [["", "runs", "hits", "misses", "hit rate", "miss rate", "errors"], ...rows],
    "lrrrrrr",
  );
}

function sumLines(runs: CacheStatistics): string[] {
  const average = (ms: number | undefined): string => (ms === undefined ? "–" : shortDuration(ms));
  const refused = Object.entries(runs.refused).map(([reason, count]) => `${count} ${reason}`);
  return [
    `Saved         ${formatDuration(runs.savedMs)} of tasks not run; ${formatBytes(runs.restoredBytes)} restored`,
    `Stored        ${runs.stored} ${runs.stored === 1 ? "result" : "results"}`,
    ...(runs.remoteHits + runs.uploaded === 0
      ? []
      : [
          `Remote cache  ${runs.remoteHits} of the hits, ${formatBytes(runs.fetchedBytes)} fetched; ${runs.uploaded} results sent, ${formatBytes(runs.uploadedBytes)}`,
        ]),
    `On average    ${average(runs.averageLookupMs)} for a look-up, ${average(runs.averageStoreMs)} to store`,
    `Memory        ${formatBytes(runs.memoryBytes)} at most, of cuenv itself`,
    ...(refused.length === 0 ? [] : [`Not trusted   ${refused.join(", ")}`]),
  ];
}

function taskLines(tasks: readonly TaskStatistics[], project: string | undefined): string[] {
  const isElsewhere = tasks.some((task) => task.project !== project && task.project !== "");
  const head = ["task", "hits", "misses", "hit rate", "saved", ...(isElsewhere ? ["project"] : [])];
  const rows = tasks.map((task) => [
    visibleText(task.name),
    `${task.hits}`,
    `${task.misses}`,
    percent(task.hitRate),
    formatDuration(task.savedMs),
    ...(isElsewhere ? [task.project === project ? "." : visibleText(task.project)] : []),
  ]);
  return table([head, ...rows], "lrrrrl");
}

function percent(rate: number | undefined): string {
  if (rate === undefined) return "–";
  // 999 of 1000 are not all.
  return `${rate < 1 && rate > 0.995 ? "99" : Math.round(rate * 100)} %`;
}

/** Look-ups take less than a millisecond, often. */
function shortDuration(ms: number): string {
  return ms < 10 ? `${ms.toFixed(1)} ms` : formatDuration(ms);
}

function table(rows: readonly (readonly string[])[], alignment: string): string[] {
  const widths = alignment
    .split("")
    .map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        alignment[column] === "r"
          ? cell.padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
