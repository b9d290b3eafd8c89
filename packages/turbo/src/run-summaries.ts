import { readdirSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { parseRunSummary, type RunSummary } from "./run-summary.ts";

/** How many summaries are kept where cuenv has turbo write them: turbo itself removes none. */
export const keptSummaries: number = 20;
/** A larger file is no summary (64 MiB). */
const maxSummaryBytes = 64 * 1024 * 1024;

/** The newest summary of a run that a task was in, of those in `.turbo/runs` of a repository. What cannot be read is passed over. */
export function latestSummaryOf(root: string, taskId: string): RunSummary | undefined {
  for (const path of summaryFiles(root)) {
    try {
      if (statSync(path).size > maxSummaryBytes) continue;
      const summary = parseRunSummary(readFileSync(path, "utf8"), path);
      if (summary.tasks.has(taskId)) return summary;
    } catch {
      // Of another version, half written, or gone in this moment.
    }
  }
  return undefined;
}

/** Removes all but the newest. Never throws. */
export function pruneSummaries(root: string): void {
  for (const path of summaryFiles(root).slice(keptSummaries)) {
    try {
      unlinkSync(path);
    } catch {
      // Not ours to remove.
    }
  }
}

/** Newest first. */
function summaryFiles(root: string): readonly string[] {
  const folder = join(root, ".turbo", "runs");
  return namesIn(folder)
    .filter((name) => /^[0-9A-Za-z]+\.json$/.test(name))
    .map((name) => join(folder, name))
    .map((path) => ({ path, time: timeOf(path) }))
    .toSorted((left, right) => right.time - left.time)
    .map(({ path }) => path);
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Of what went in this moment, and of a link to nothing, long ago. */
function timeOf(path: string): number {
  try {
    return statSync(path).mtimeMs;
  } catch {
    return 0;
  }
}
