import { lstatSync, readdirSync, unlinkSync } from "node:fs";
import { isHash } from "@cuenv/digest";
import { basename } from "node:path";

/** No process takes longer from making a temporary file to renaming it, or is silent for so long with a lease (10 min). */
export const leftoverAfterMs: number = 10 * 60 * 1000;

/**
 * Removes what killed processes left beside the state files (`*.tmp`) and among the leases. Whoever loses a file that it
 * was still about to rename learns a little less for its next run. Gives the bytes that went. Never throws.
 */
export function sweepLeftovers(directories: readonly string[], nowMs: number): number {
  let bytes = 0;
  for (const directory of directories) {
    const isLeases = basename(directory) === "leases";
    for (const name of namesBelow(directory)) {
      if (isLeases ? isHash(name) : name.endsWith(".tmp"))
        bytes += removeOld(`${directory}/${name}`, nowMs);
    }
  }
  return bytes;
}

function namesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch {
    return [];
  }
}

function removeOld(path: string, nowMs: number): number {
  try {
    const { mtimeMs, size } = lstatSync(path);
    if (nowMs - mtimeMs <= leftoverAfterMs) return 0;
    unlinkSync(path);
    return size;
  } catch {
    // Removed by another process, a folder, or read-only: tried again next time.
    return 0;
  }
}
