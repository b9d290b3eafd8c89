import { appendToFile, makeFolders } from "@cuenv/digest";
import type { CacheEvent } from "./cache-event.ts";

/**
 * What one run did, as one line of JSON in `v1/stats/<yyyy-mm-dd>.jsonl` (UTC day of the end of the run). Durations are sums in milliseconds.
 * Lines of older days are sums of the runs of an hour, see tidy-statistics.ts: these have `runs`.
 */
export interface RunRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Absolute folder of the project: tasks of two projects may have one name. Runs of earlier versions have none. */
  readonly project: string;
  readonly hits: number;
  readonly misses: number;
  readonly stored: number;
  readonly errors: number;
  readonly lookups: number;
  readonly lookupMs: number;
  readonly storeMs: number;
  readonly savedMs: number;
  readonly restoredBytes: number;
  /** The most that cuenv itself had resident, without its tasks; of several runs, the largest. */
  readonly memoryBytes: number;
  /** Of the hits, those that another machine made; bytes that were fetched for them, and results and bytes that were sent. Runs of earlier versions have none. */
  readonly remoteHits: number;
  readonly fetchedBytes: number;
  readonly uploaded: number;
  readonly uploadedBytes: number;
  readonly tasks: Readonly<Record<string, TaskCounts>>;
  /** Entries that were not trusted, by reason. Runs of earlier versions have none. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface TaskCounts {
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
}

type Mutable<Type> = { -readonly [Field in keyof Type]: Type[Field] };

/** A record that is being summed up. What bears the user's names has no prototype: `__proto__` is a name like any other. */
export interface RunCounts extends Omit<Mutable<RunRecord>, "tasks" | "refused"> {
  readonly tasks: Record<string, Mutable<TaskCounts>>;
  readonly refused: Record<string, number>;
}

/** A day's file takes no more than this (64 MiB): beyond, runs of that day are not counted. */
export const maxDayBytes: number = 64 * 1024 * 1024;

/** Counts events of one run; `record` gives the sums so far. */
export function createRunCounter(
  now: () => number = Date.now,
  project = "",
): {
  count(event: CacheEvent): void;
  record(): RunRecord;
} {
  const counts = noCounts(now(), project);
  return {
    count: (event) => countEvent(counts, event),
    record: () => {
      counts.at = now();
      counts.memoryBytes = process.resourceUsage().maxRSS * 1024;
      return counts;
    },
  };
}

export function noCounts(at: number, project: string): RunCounts {
  const zero = { hits: 0, misses: 0, stored: 0, errors: 0, lookups: 0, lookupMs: 0, storeMs: 0 };
  const sums = { savedMs: 0, restoredBytes: 0, memoryBytes: 0 };
  const remote = { remoteHits: 0, fetchedBytes: 0, uploaded: 0, uploadedBytes: 0 };
  return { at, project, ...zero, ...sums, ...remote, tasks: byName(), refused: byName() };
}

export function byName<Value>(): Record<string, Value> {
  return Object.create(null) as Record<string, Value>;
}

function countEvent(counts: RunCounts, event: CacheEvent): void {
  switch (event.type) {
    case "lookup":
      counts.lookups += 1;
      counts.lookupMs += event.durationMs;
      break;
    case "hit": {
      counts.hits += 1;
      counts.savedMs += event.savedMs;
      const task = taskOf(counts.tasks, event.task);
      task.hits += 1;
      task.savedMs += event.savedMs;
      break;
    }
    case "miss":
      counts.misses += 1;
      taskOf(counts.tasks, event.task).misses += 1;
      break;
    case "restored":
      counts.restoredBytes += event.bytes;
      break;
    case "stored":
      counts.stored += 1;
      counts.storeMs += event.durationMs;
      break;
    case "trouble":
      counts.errors += 1;
      break;
    case "refused":
      addCount(counts.refused, event.reason, 1);
      break;
    case "remoteLookup":
      if (event.outcome === "hit") counts.remoteHits += 1;
      break;
    case "fetched":
      counts.fetchedBytes += event.bytes;
      break;
    case "uploaded":
      counts.uploaded += 1;
      counts.uploadedBytes += event.bytes;
      break;
    case "executed":
    case "flushing":
    case "inputNotFound":
    case "keyed":
    case "notStored":
    case "note":
    case "outputNotMade":
      break;
  }
}

export function taskOf(tasks: RunCounts["tasks"], name: string): Mutable<TaskCounts> {
  return (tasks[name] ??= { hits: 0, misses: 0, savedMs: 0 });
}

export function addCount(counts: RunCounts["refused"], reason: string, more: number): void {
  counts[reason] = (counts[reason] ?? 0) + more;
}

/** As it is written: thousandths of a millisecond are noise. */
export function recordText(record: RunRecord): string {
  const { lookupMs, storeMs, savedMs } = record;
  const rounded = { lookupMs: round(lookupMs), storeMs: round(storeMs), savedMs: round(savedMs) };
  return JSON.stringify({ ...record, ...rounded });
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** `none`: there was nothing to append. `failed`: it could not be, or the day's file is full. */
export type AppendedRecord = "firstOfDay" | "appended" | "none" | "failed";

/**
 * Appends one line: a single write with O_APPEND, so that concurrent runs do not mix. The newline stands in front, so that a line which was torn (a crash,
 * a full disk) does not take the next one with it. A run that asked nothing of the cache has no line. What it costs: docs/statistics.md.
 */
export function appendRunRecord(cacheDirectory: string, record: RunRecord): AppendedRecord {
  if (record.hits + record.misses + record.errors === 0) return "none";
  const directory = `${cacheDirectory}/v1/stats`;
  const path = `${directory}/${new Date(record.at).toISOString().slice(0, 10)}.jsonl`;
  const line = `\n${recordText(record)}`;
  try {
    const size = append(directory, path, line);
    if (size >= maxDayBytes) return "failed";
    return size === 0 ? "firstOfDay" : "appended";
  } catch {
    return "failed";
  }
}

function append(directory: string, path: string, line: string): number {
  try {
    return appendToFile(path, line, maxDayBytes);
  } catch {
    makeFolders(directory);
    return appendToFile(path, line, maxDayBytes);
  }
}
