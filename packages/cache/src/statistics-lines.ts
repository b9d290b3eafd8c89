import { readMemoFile } from "@cuenv/digest";
import { readdirSync } from "node:fs";
import { addCount, byName, maxDayBytes, type RunCounts, type RunRecord } from "./run-statistics.ts";

/** A line that was read: a run's, or the sum of an hour's. */
export interface StatisticsLine extends RunRecord {
  readonly runs: number;
}

export const dayMs: number = 24 * 60 * 60 * 1000;

/** A day's runs, as they were appended; or, when the day is long over, summed up by hours: then only that file counts. */
export interface DayFile {
  /** yyyy-mm-dd, UTC. */
  readonly day: string;
  readonly startMs: number;
  readonly path: string;
  readonly isSummed: boolean;
}

/** In the order of time. Where a day has both files, the second one counts: it was made of the first. */
export function dayFiles(cacheDirectory: string): readonly DayFile[] {
  const directory = `${cacheDirectory}/v1/stats`;
  const found = namesIn(directory).flatMap((name): DayFile[] => {
    const match = /^(?<day>\d{4}-\d\d-\d\d)(?<summed>\.hours)?\.jsonl$/.exec(name);
    const startMs = Date.parse(match?.groups?.["day"] ?? "");
    if (match === null || Number.isNaN(startMs)) return [];
    const { day = "", summed } = match.groups ?? {};
    return [{ day, startMs, path: `${directory}/${name}`, isSummed: summed !== undefined }];
  });
  return found.toSorted((left, right) => left.startMs - right.startMs);
}

export function filesThatCount(files: readonly DayFile[]): readonly DayFile[] {
  const summed = new Set(files.filter(({ isSummed }) => isSummed).map(({ day }) => day));
  return files.filter(({ day, isSummed }) => isSummed || !summed.has(day));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Undefined: it is not there. Lines that cannot be read (a torn one, at a crash or a full disk) are passed over. */
export function readLines(path: string): readonly StatisticsLine[] | undefined {
  // The line that fills a day's file ends beyond its bound.
  const text = readMemoFile(path, 2 * maxDayBytes)?.toString("utf8");
  return text?.split("\n").flatMap((line) => parseLine(line) ?? []);
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

/** Those that lines of earlier versions lack. */
const laterSums = ["remoteHits", "fetchedBytes", "uploaded", "uploadedBytes"] as const;

type StoredLine = Partial<StatisticsLine> & Record<"at" | (typeof sums)[number], number>;

function parseLine(line: string): StatisticsLine | undefined {
  if (line === "") return undefined;
  try {
    const record = JSON.parse(line) as StoredLine | null;
    if (record === null || typeof record !== "object") return undefined;
    if (!["at" as const, ...sums].every((field) => isCount(record[field]))) return undefined;
    return {
      ...record,
      runs: isCount(record.runs) ? record.runs : 1,
      project: typeof record.project === "string" ? record.project : "",
      memoryBytes: isCount(record.memoryBytes) ? record.memoryBytes : 0,
      ...readLaterSums(record),
      tasks: readTasks(record.tasks),
      refused: readRefused(record.refused),
    };
  } catch {
    return undefined;
  }
}

function readLaterSums(
  record: Partial<StatisticsLine>,
): Pick<StatisticsLine, (typeof laterSums)[number]> {
  const [remoteHits = 0, fetchedBytes = 0, uploaded = 0, uploadedBytes = 0] = laterSums.map(
    (field) => (isCount(record[field]) ? record[field] : 0),
  );
  return { remoteHits, fetchedBytes, uploaded, uploadedBytes };
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}

function readTasks(value: unknown): RunRecord["tasks"] {
  const tasks: RunCounts["tasks"] = byName();
  for (const [name, counts] of entriesOf(value)) {
    const { hits, misses, savedMs } = Object(counts) as Partial<Record<string, unknown>>;
    if (isCount(hits) && isCount(misses) && isCount(savedMs))
      tasks[name] = { hits, misses, savedMs };
  }
  return tasks;
}

function readRefused(value: unknown): RunRecord["refused"] {
  const refused: RunCounts["refused"] = byName();
  for (const [reason, count] of entriesOf(value))
    if (isCount(count)) addCount(refused, reason, count);
  return refused;
}

function entriesOf(value: unknown): readonly [string, unknown][] {
  return typeof value === "object" && value !== null ? Object.entries(value) : [];
}

/** Adds a line to a sum, all but `at`, `project` and the tasks. */
export function addLine(sum: RunCounts & { runs: number }, line: StatisticsLine): void {
  for (const field of [...sums, ...laterSums]) sum[field] += line[field];
  sum.runs += line.runs;
  sum.memoryBytes = Math.max(sum.memoryBytes, line.memoryBytes);
  for (const [reason, count] of Object.entries(line.refused)) addCount(sum.refused, reason, count);
}
