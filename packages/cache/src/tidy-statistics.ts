import { replaceFile } from "@cuenv/digest";
import { unlinkSync } from "node:fs";
import { noCounts, recordText, type RunCounts, taskOf } from "./run-statistics.ts";
import {
  addLine,
  dayFiles,
  dayMs,
  type DayFile,
  filesThatCount,
  readLines,
  type StatisticsLine,
} from "./statistics-lines.ts";

const hourMs = 60 * 60 * 1000;

/**
 * Removes the files of days beyond the retention, and sums those up, hour by hour and project by project, that no run appends to any more:
 * the days before yesterday. So a year of statistics is read in milliseconds, whatever was run. Any number of processes may do it at once:
 * what they make of a day is the same, and put in place by rename. Never throws.
 */
export function tidyStatistics(
  cacheDirectory: string,
  retentionDays: number,
  now: number = Date.now(),
): void {
  const files = dayFiles(cacheDirectory);
  const counting = new Set(filesThatCount(files));
  for (const file of files) {
    const isOver = now - file.startMs > 2 * dayMs;
    // With both files there, the plain one is what a process that was killed here left, or a late line.
    if (now - file.startMs > (retentionDays + 1) * dayMs || !counting.has(file)) remove(file.path);
    else if (isOver && !file.isSummed) sumUp(cacheDirectory, file);
  }
}

function sumUp(cacheDirectory: string, { day, path }: DayFile): void {
  const lines = readLines(path);
  // Summed up by another process: what that made of it must not be replaced by nothing.
  if (lines === undefined) return;
  const text = hourLines(lines).map(summedLine).join("");
  if (replaceFile(`${cacheDirectory}/v1/stats/${day}.hours.jsonl`, text)) remove(path);
}

type HourCounts = RunCounts & { runs: number };

function hourLines(lines: readonly StatisticsLine[]): readonly HourCounts[] {
  const hours = new Map<string, HourCounts>();
  for (const line of lines) {
    const at = Math.floor(line.at / hourMs) * hourMs;
    const key = `${at} ${line.project}`;
    const sum = hours.get(key) ?? { ...noCounts(at, line.project), runs: 0 };
    hours.set(key, sum);
    addLine(sum, line);
    for (const [name, { hits, misses, savedMs }] of Object.entries(line.tasks)) {
      const task = taskOf(sum.tasks, name);
      task.hits += hits;
      task.misses += misses;
      task.savedMs += savedMs;
    }
  }
  return [...hours.values()];
}

function summedLine({ runs, ...record }: HourCounts): string {
  return `{"runs":${runs},${recordText(record).slice(1)}\n`;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Removed by another process, or read-only: tried again next time.
  }
}
