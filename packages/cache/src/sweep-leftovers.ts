import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { basename } from "node:path";

/** No process takes longer from making a temporary file to renaming it, or is silent for so long with a lease (10 min). */
export const leftoverAfterMs: number = 10 * 60 * 1000;

/**
 * Removes what killed processes left beside the state files (`*.tmp`) and among the leases. Whoever loses a file that it
 * was still about to rename learns a little less for its next run. Never throws.
 */
export function sweepLeftovers(directories: readonly string[], nowMs: number): void {
  for (const directory of directories) {
    const isLeases = basename(directory) === "leases";
    for (const name of namesBelow(directory)) {
      if (isLeases || name.endsWith(".tmp")) removeOld(`${directory}/${name}`, nowMs);
    }
  }
}

function namesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
}

function removeOld(path: string, nowMs: number): void {
  try {
    if (nowMs - lstatSync(path).mtimeMs > leftoverAfterMs) unlinkSync(path);
  } catch {
    // Removed by another process, a folder, or read-only: tried again next time.
  }
}
