import { appendFileSync, mkdirSync, readdirSync, readFileSync, unlinkSync } from "node:fs";
import type { CacheEvent } from "./cache-event.ts";

/** What one run did, as one line of JSON in `v1/stats/<yyyy-mm-dd>.jsonl`. Durations are sums in milliseconds. */
export interface RunRecord {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
  readonly stored: number;
  readonly errors: number;
  readonly lookups: number;
  readonly lookupMs: number;
  readonly storeMs: number;
  readonly savedMs: number;
  readonly restoredBytes: number;
  readonly tasks: Readonly<Record<string, TaskCounts>>;
  /** Entries that were not trusted, by reason. Runs of earlier versions have none. */
  readonly refused: Readonly<Record<string, number>>;
}

export interface TaskCounts {
  readonly hits: number;
  readonly misses: number;
  readonly savedMs: number;
}

/** Sums over runs. Rates are between 0 and 1, or undefined when nothing was looked up. */
export interface CacheStatistics extends Omit<RunRecord, "at"> {
  readonly runs: number;
  readonly hitRate: number | undefined;
  readonly averageLookupMs: number | undefined;
  readonly averageStoreMs: number | undefined;
}

type Counts = { -readonly [Field in keyof RunRecord]: RunRecord[Field] };

const dayMs = 24 * 60 * 60 * 1000;

/** Counts events of one run; `record` gives the sums so far. */
export function createRunCounter(now: () => number = Date.now): {
  count(event: CacheEvent): void;
  record(): RunRecord;
} {
  const counts = noCounts(now());
  return { count: (event) => countEvent(counts, event), record: () => counts };
}

function noCounts(at: number): Counts {
  const zero = { hits: 0, misses: 0, stored: 0, errors: 0, lookups: 0, lookupMs: 0, storeMs: 0 };
  return { at, ...zero, savedMs: 0, restoredBytes: 0, tasks: {}, refused: {} };
}

function countEvent(counts: Counts, event: CacheEvent): void {
  switch (event.type) {
    case "lookup":
      counts.lookups += 1;
      counts.lookupMs += event.durationMs;
      break;
    case "hit":
      counts.hits += 1;
      counts.savedMs += event.savedMs;
      counts.tasks = withTask(counts.tasks, event.task, {
        hits: 1,
        misses: 0,
        savedMs: event.savedMs,
      });
      break;
    case "miss":
      counts.misses += 1;
      counts.tasks = withTask(counts.tasks, event.task, { hits: 0, misses: 1, savedMs: 0 });
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
      counts.refused = withCount(counts.refused, event.reason, 1);
      break;
    case "executed":
    case "notStored":
    case "note":
    case "outputNotMade":
      break;
  }
}

function withTask(tasks: RunRecord["tasks"], name: string, more: TaskCounts): RunRecord["tasks"] {
  const all = tasks as Record<string, TaskCounts>;
  const before = Object.hasOwn(all, name) ? all[name] : undefined;
  all[name] = {
    hits: (before?.hits ?? 0) + more.hits,
    misses: (before?.misses ?? 0) + more.misses,
    savedMs: (before?.savedMs ?? 0) + more.savedMs,
  };
  return all;
}

function withCount(
  counts: RunRecord["refused"],
  reason: string,
  more: number,
): RunRecord["refused"] {
  const before = Object.hasOwn(counts, reason) ? (counts[reason] ?? 0) : 0;
  return { ...counts, [reason]: before + more };
}

/** Appends one line; a single write with O_APPEND, so that concurrent runs do not mix. Says whether it could. */
export function appendRunRecord(cacheDirectory: string, record: RunRecord): boolean {
  if (record.hits + record.misses + record.errors === 0) return true;
  try {
    const directory = `${cacheDirectory}/v1/stats`;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const day = new Date(record.at).toISOString().slice(0, 10);
    appendFileSync(`${directory}/${day}.jsonl`, `${JSON.stringify(record)}\n`, { mode: 0o600 });
    return true;
  } catch {
    return false;
  }
}

/** Sums the runs of the last `days`; lines that cannot be read are passed over. */
export function readStatistics(
  cacheDirectory: string,
  days: number,
  now: number = Date.now(),
): CacheStatistics {
  const sum = noCounts(now);
  let runs = 0;
  for (const name of dayFiles(cacheDirectory)) {
    if (now - Date.parse(name.slice(0, 10)) > (days + 1) * dayMs) continue;
    for (const line of readLines(`${cacheDirectory}/v1/stats/${name}`)) {
      const record = parseRecord(line);
      if (record === undefined || now - record.at > days * dayMs) continue;
      runs += 1;
      addRecord(sum, record);
    }
  }
  const { at: _, ...counts } = sum;
  const ratio = (part: number, whole: number): number | undefined =>
    whole === 0 ? undefined : part / whole;
  return {
    ...counts,
    runs,
    hitRate: ratio(sum.hits, sum.hits + sum.misses),
    averageLookupMs: ratio(sum.lookupMs, sum.lookups),
    averageStoreMs: ratio(sum.storeMs, sum.stored),
  };
}

/** Removes the files of days beyond the retention. */
export function removeOldStatistics(
  cacheDirectory: string,
  days: number,
  now: number = Date.now(),
): void {
  for (const name of dayFiles(cacheDirectory)) {
    if (now - Date.parse(name.slice(0, 10)) <= (days + 1) * dayMs) continue;
    try {
      unlinkSync(`${cacheDirectory}/v1/stats/${name}`);
    } catch {
      // Removed by another process, or read-only: tried again next time.
    }
  }
}

function dayFiles(cacheDirectory: string): string[] {
  try {
    return readdirSync(`${cacheDirectory}/v1/stats`).filter((name) =>
      /^\d{4}-\d\d-\d\d\.jsonl$/.test(name),
    );
  } catch {
    return [];
  }
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, "utf8").split("\n");
  } catch {
    return [];
  }
}

const sums = [
  "hits",
  "misses",
  "stored",
  "errors",
  "lookups",
  "lookupMs",
  "storeMs",
  "savedMs",
  "restoredBytes",
] as const;

/** As a line has it; those of earlier versions lack the later fields. */
type StoredRecord = Omit<RunRecord, "refused"> & Partial<Pick<RunRecord, "refused">>;

function parseRecord(line: string): StoredRecord | undefined {
  if (line === "") return undefined;
  try {
    const record = JSON.parse(line) as StoredRecord;
    const valid = ["at" as const, ...sums].every((field) => Number.isFinite(record[field]));
    return valid && typeof record.tasks === "object" ? record : undefined;
  } catch {
    return undefined;
  }
}

function addRecord(sum: Counts, record: StoredRecord): void {
  for (const field of sums) sum[field] += record[field];
  for (const [reason, count] of Object.entries(record.refused ?? {}))
    if (Number.isFinite(count)) sum.refused = withCount(sum.refused, reason, count);
  for (const [name, counts] of Object.entries(record.tasks))
    sum.tasks = withTask(sum.tasks, name, counts);
}
