import { noCounts, type RunRecord, type TaskCounts } from "./run-statistics.ts";
import { addLine, dayFiles, dayMs, filesThatCount, readLines } from "./statistics-lines.ts";

/** Rates are between 0 and 1; they and averages are undefined when there was nothing to count. */
export interface CacheRates {
  readonly runs: number;
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
  readonly hitRate: number | undefined;
  readonly missRate: number | undefined;
}

export interface TaskStatistics extends TaskCounts {
  readonly name: string;
  /** Absolute folder; empty for runs of earlier versions. */
  readonly project: string;
  readonly hitRate: number | undefined;
}

/** Sums over the runs of a time. */
export interface CacheStatistics
  extends CacheRates, Omit<RunRecord, "at" | "project" | "tasks" | keyof CacheRates> {
  /** Milliseconds since the epoch: runs that ended since then are counted. */
  readonly sinceMs: number;
  readonly averageLookupMs: number | undefined;
  readonly averageStoreMs: number | undefined;
  /** Those that were looked up most, first. */
  readonly tasks: readonly TaskStatistics[];
  /** The last hour, day, week, and everything that is kept, whatever `sinceMs` says. */
  readonly windows: readonly StatisticsWindow[];
}

export interface StatisticsWindow extends CacheRates {
  readonly name: "hour" | "day" | "week" | "all";
  readonly sinceMs: number;
}

export interface ReadStatisticsOptions {
  /** How many days are kept. */
  readonly days: number;
  /** Only runs that ended since then; default: all that are kept. */
  readonly sinceMs?: number | undefined;
  readonly now?: number;
}

/** Sums the runs of all processes that used this cache folder; lines that cannot be read are passed over. */
export function readStatistics(
  cacheDirectory: string,
  options: ReadStatisticsOptions,
): CacheStatistics {
  const { days, now = Date.now() } = options;
  const kept = now - days * dayMs;
  const sinceMs = Math.max(kept, options.sinceMs ?? kept);
  const sum = { ...noCounts(now, ""), runs: 0 };
  const windows = emptyWindows(now, kept);
  const tasks = new Map<string, Omit<TaskStatistics, "hitRate">>();
  for (const file of filesThatCount(dayFiles(cacheDirectory))) {
    // A line bears the end of its run, its file the day of that: they may differ only by what a clock was set.
    if (file.startMs + 2 * dayMs < kept) continue;
    for (const line of readLines(file.path) ?? []) {
      if (line.at < kept) continue;
      for (const window of windows) if (line.at >= window.sinceMs) addRates(window, line);
      if (line.at < sinceMs) continue;
      addLine(sum, line);
      addTasks(tasks, line.project, line.tasks);
    }
  }
  const { at: _, project: __, tasks: ___, ...counts } = sum;
  return {
    ...counts,
    ...ratesOf(sum),
    sinceMs,
    averageLookupMs: ratio(sum.lookupMs, sum.lookups),
    averageStoreMs: ratio(sum.storeMs, sum.stored),
    tasks: [...tasks.values()]
      .map((task) => ({ ...task, hitRate: ratio(task.hits, task.hits + task.misses) }))
      .toSorted((left, right) => lookupsOf(right) - lookupsOf(left)),
    windows: windows.map((window) => ({ ...window, ...ratesOf(window) })),
  };
}

type Counted = { -readonly [Field in "runs" | "hits" | "misses" | "errors"]: number };
type Window = Counted & Pick<StatisticsWindow, "name" | "sinceMs">;

function emptyWindows(now: number, kept: number): readonly Window[] {
  const zero = { runs: 0, hits: 0, misses: 0, errors: 0 };
  const starts = [
    ["hour", now - dayMs / 24],
    ["day", now - dayMs],
    ["week", now - 7 * dayMs],
    ["all", kept],
  ] as const;
  return starts.map(([name, start]) => ({ name, sinceMs: Math.max(start, kept), ...zero }));
}

function addRates(sum: Counted, line: Counted): void {
  for (const field of ["runs", "hits", "misses", "errors"] as const) sum[field] += line[field];
}

function ratesOf({ runs, hits, misses, errors }: Counted): CacheRates {
  const asked = hits + misses;
  const hitRate = ratio(hits, asked);
  return { runs, hits, misses, errors, hitRate, missRate: ratio(misses, asked) };
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

function lookupsOf({ hits, misses }: TaskCounts): number {
  return hits + misses;
}

function addTasks(
  sums: Map<string, Omit<TaskStatistics, "hitRate">>,
  project: string,
  tasks: RunRecord["tasks"],
): void {
  for (const [name, { hits, misses, savedMs }] of Object.entries(tasks)) {
    const key = JSON.stringify([project, name]);
    const before = sums.get(key) ?? { name, project, hits: 0, misses: 0, savedMs: 0 };
    sums.set(key, {
      ...before,
      hits: before.hits + hits,
      misses: before.misses + misses,
      savedMs: before.savedMs + savedMs,
    });
  }
}
