import { closeSync, fstatSync, mkdirSync, openSync, readSync, writeSync } from "node:fs";
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
  readonly tasks: Readonly<Record<string, TaskCounts>>;
  /** Entries that were not trusted, by reason. Runs of earlier versions have none. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface TaskCounts {
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
}

export type RunCounts = { -readonly [Field in keyof RunRecord]: RunRecord[Field] };

/** A day's file takes no more than this (64 MiB): beyond, runs of that day are not counted. */
const maxDayBytes = 64 * 1024 * 1024;

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
  return { at, project, ...zero, ...sums, tasks: {}, refused: {} };
}

function countEvent(counts: RunCounts, event: CacheEvent): void {
  switch (event.type) {
    case "lookup":
      counts.lookups += 1;
      counts.lookupMs += event.durationMs;
      break;
    case "hit":
      counts.hits += 1;
      counts.savedMs += event.savedMs;
      addTask(counts.tasks, event.task, { hits: 1, misses: 0, savedMs: event.savedMs });
      break;
    case "miss":
      counts.misses += 1;
      addTask(counts.tasks, event.task, { hits: 0, misses: 1, savedMs: 0 });
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
    case "executed":
    case "keyed":
    case "notStored":
    case "note":
    case "outputNotMade":
      break;
  }
}

/** Names are the user's: `__proto__` is one. */
function ownValue<Value>(of: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined;
}

function setOwn<Value>(of: Readonly<Record<string, Value>>, name: string, value: Value): void {
  Object.defineProperty(of, name, { value, writable: true, enumerable: true, configurable: true });
}

export function addTask(tasks: RunRecord["tasks"], name: string, more: TaskCounts): void {
  const before = ownValue(tasks, name);
  setOwn(tasks, name, {
    hits: (before?.hits ?? 0) + more.hits,
    misses: (before?.misses ?? 0) + more.misses,
    savedMs: (before?.savedMs ?? 0) + more.savedMs,
  });
}

export function addCount(counts: RunRecord["refused"], reason: string, more: number): void {
  setOwn(counts, reason, (ownValue(counts, reason) ?? 0) + more);
}

/** As it is written: thousandths of a millisecond are noise. */
export function recordLine(record: RunRecord): string {
  const { lookupMs, storeMs, savedMs } = record;
  const rounded = { lookupMs: round(lookupMs), storeMs: round(storeMs), savedMs: round(savedMs) };
  return `${JSON.stringify({ ...record, ...rounded })}\n`;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/**
 * Appends one line: a single write with O_APPEND, so that concurrent runs do not mix. Says whether it could. A run that asked nothing of the
 * cache has no line. 0.1 ms (docs/statistics.md).
 */
export function appendRunRecord(cacheDirectory: string, record: RunRecord): boolean {
  if (record.hits + record.misses + record.errors === 0) return true;
  const day = new Date(record.at).toISOString().slice(0, 10);
  const line = Buffer.from(recordLine(record));
  try {
    const file = openForAppending(`${cacheDirectory}/v1/stats`, `${day}.jsonl`);
    try {
      const { size } = fstatSync(file);
      if (size + line.length > maxDayBytes) return false;
      // A line that was torn (a crash, a full disk) must not take this one with it.
      const bytes = isLineOpen(file, size) ? Buffer.concat([newline, line]) : line;
      return writeSync(file, bytes) === bytes.length;
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

const newline = Buffer.from("\n");

function isLineOpen(file: number, size: number): boolean {
  if (size === 0) return false;
  const last = Buffer.alloc(1);
  return readSync(file, last, 0, 1, size - 1) === 1 && !last.equals(newline);
}

function openForAppending(directory: string, name: string): number {
  const path = `${directory}/${name}`;
  try {
    return openSync(path, "a+", 0o600);
  } catch {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return openSync(path, "a+", 0o600);
  }
}
