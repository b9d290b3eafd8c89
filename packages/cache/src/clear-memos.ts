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

/** What is remembered of a workspace that nobody used for so long goes: it was removed, or is one of the many of a CI (30 d). */
export const memosKeptMs: number = 30 * 24 * 60 * 60 * 1000;

/**
 * Removes what is remembered of workspaces without a use for {@link memosKeptMs}, as {@link clearMemos} does it of all. No limit of the store counts it, and nothing else would
 * ever remove it. A run of hits writes nothing: that it read is use, where the file system notes it; else its next run looks at everything once more.
 */
export function tidyMemos(cacheDirectory: string, nowMs: number): void {
  const workspaces = `${cacheDirectory}/v1/workspaces`;
  const [ofVersion, ofWorkspace] = outerFolders;
  for (const version of namesIn(workspaces).filter((name) => ofVersion?.test(name))) {
    for (const id of namesIn(`${workspaces}/${version}`)) {
      const folder = `${workspaces}/${version}/${id}`;
      if (ofWorkspace?.test(id) === true && nowMs - lastUseMs(folder) > memosKeptMs)
        clearFolder(folder, outerFolders.length);
    }
  }
}

/** The latest time at which something in a folder was written or read. */
function lastUseMs(folder: string): number {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const times = ["", ...names].map((name) => {
      const stat = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return stat === undefined ? 0 : Math.max(stat.mtimeMs, stat.isFile() ? stat.atimeMs : 0);
    });
    return Math.max(...times);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
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
