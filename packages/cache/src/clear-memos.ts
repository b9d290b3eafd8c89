import { lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { sweepLeftovers } from "./sweep-leftovers.ts";

/** What is remembered of a workspace, by name, in its folder or a few levels below; and what killed processes left beside it. */
const memoFile = /^[0-9a-z-]+\.(?:bin|jsonl?)(?:\.[0-9a-z.]+\.tmp)?$/;
const memoFolder = /^[0-9a-z-]+$/;
/** `workspaces/<version>/<id>/evaluations/evaluation/<version>/…`: of the first two, names are told from those of anybody's folders. */
const outerFolders = [/^\d+$/, /^[0-9a-f]{32}$/];
const maxDepth = 6;

/**
 * Removes what is remembered of all workspaces: file digests, evaluated configurations, what tools printed, last results. Only files that are
 * ours by name and place go, and no link is followed. What running processes hold stays; so do statistics, the salt of secrets, and our own
 * compiled code. Gives the bytes that went. Never throws: what cannot be removed is checked by content before it is believed.
 */
export function clearMemos(cacheDirectory: string, nowMs: number): number {
  return (
    clearFolder(`${cacheDirectory}/v1/workspaces`, 0) +
    sweepLeftovers([`${cacheDirectory}/v1/leases`], nowMs)
  );
}

function clearFolder(folder: string, depth: number): number {
  let bytes = 0;
  for (const name of namesIn(folder)) {
    const path = `${folder}/${name}`;
    try {
      const stat = lstatSync(path);
      if (stat.isDirectory() && (outerFolders[depth] ?? memoFolder).test(name) && depth < maxDepth)
        bytes += clearFolder(path, depth + 1);
      else if (stat.isFile() && memoFile.test(name) && depth >= outerFolders.length) {
        unlinkSync(path);
        bytes += stat.size;
      }
    } catch {
      // Removed by another process, or not ours to remove.
    }
  }
  try {
    rmdirSync(folder);
  } catch {
    // Somebody's own file is in it, or a process that runs made another one.
  }
  return bytes;
}

function namesIn(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}
