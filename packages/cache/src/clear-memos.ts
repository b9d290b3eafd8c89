import { lstatSync, readdirSync, rmdirSync, type Stats, unlinkSync } from "node:fs";
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

/** What is remembered of a workspace that nobody used for so long goes: it was removed, or is one of the many of a CI; what other versions left, too (30 d). */
export const memosKeptMs: number = 30 * 24 * 60 * 60 * 1000;

/** Of one version of cuenv, or of one build of its evaluator: the next one leaves it where it is. */
const ofOneVersion = /^(?:conclusions|entries|inputs)(?:-[0-9a-z-]+)?\.jsonl?$|^evaluations\//;

/**
 * Removes what is remembered of workspaces without a use for {@link memosKeptMs}, as {@link clearMemos} does it of all; and of those in use, what no version of cuenv
 * used for so long. No limit of the store counts it, and nothing else would ever remove it. A run of hits writes nothing: that it read is use, where the file system
 * notes it; else its next run looks at everything once more.
 */
export function tidyMemos(cacheDirectory: string, nowMs: number): void {
  const workspaces = `${cacheDirectory}/v1/workspaces`;
  const [ofVersion, ofWorkspace] = outerFolders;
  const isOld = (stat: Stats): boolean => nowMs - lastUseOf(stat) > memosKeptMs;
  for (const version of namesIn(workspaces).filter((name) => ofVersion?.test(name))) {
    for (const id of namesIn(`${workspaces}/${version}`)) {
      if (ofWorkspace?.test(id) !== true) continue;
      const folder = `${workspaces}/${version}/${id}`;
      const isUsed = nowMs - lastUseMs(folder) <= memosKeptMs;
      const isLeft = (stat: Stats, path: string): boolean =>
        ofOneVersion.test(path.slice(folder.length + 1)) && isOld(stat);
      clearFolder(folder, outerFolders.length, isUsed ? isLeft : undefined);
    }
  }
}

/** Removes our own code as V8 compiled it for versions of cuenv, or of Node, that nobody used for {@link memosKeptMs}. Never throws. */
export function tidyCompiledCode(cacheDirectory: string, nowMs: number): void {
  const compiled = `${cacheDirectory}/v1/compile-cache`;
  for (const ofNode of namesIn(compiled).filter((name) => /^v\d[\w.-]*$/.test(name))) {
    const folder = `${compiled}/${ofNode}`;
    let isTidied = false;
    for (const name of namesIn(folder).filter((each) => /^[0-9a-f]{8}$/.test(each))) {
      const path = `${folder}/${name}`;
      const stat = statOf(path);
      if (stat?.isFile() === true && nowMs - lastUseOf(stat) > memosKeptMs)
        isTidied = removed(path) || isTidied;
    }
    if (isTidied) removeIfEmpty(folder);
  }
}

/** The latest time at which something in a folder was written or read. */
function lastUseMs(folder: string): number {
  try {
    const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const times = ["", ...names].map((name) => {
      const stat = lstatSync(`${folder}/${name}`, { throwIfNoEntry: false });
      return stat === undefined ? 0 : lastUseOf(stat);
    });
    return Math.max(...times);
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function lastUseOf(stat: Stats): number {
  return Math.max(stat.mtimeMs, stat.isFile() ? stat.atimeMs : 0);
}

/** @param goes which files. Default: all, and the folders. Where it is given, somebody may be about to write into one that is empty. */
function clearFolder(
  folder: string,
  depth: number,
  goes?: (stat: Stats, path: string) => boolean,
): number {
  let bytes = 0;
  for (const name of namesIn(folder)) {
    const path = `${folder}/${name}`;
    const stat = statOf(path);
    if (stat === undefined) continue;
    if (stat.isDirectory() && (outerFolders[depth] ?? memoFolder).test(name) && depth < maxDepth)
      bytes += clearFolder(path, depth + 1, goes);
    else if (
      stat.isFile() &&
      memoFile.test(name) &&
      depth >= outerFolders.length &&
      goes?.(stat, path) !== false &&
      removed(path)
    )
      bytes += stat.size;
  }
  if (goes === undefined) removeIfEmpty(folder);
  return bytes;
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch {
    return undefined; // Removed by another process.
  }
}

function removed(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false; // Removed by another process, or not ours to remove.
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Somebody's own file is in it, or a process that runs made another one.
  }
}

function namesIn(folder: string): string[] {
  try {
    return lstatSync(folder).isDirectory() ? readdirSync(folder) : [];
  } catch {
    return [];
  }
}
