import {
  chmodSync,
  cpSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  type Stats,
  symlinkSync,
} from "node:fs";
import { isRefused } from "@cuenv/digest";
import { dirname } from "node:path";
import { stagingPrefix } from "./disk-layout.ts";
import { processIdentity } from "./process-identity.ts";
import type { StagedUnit } from "./stage-outputs.ts";
import { parentOf } from "./plan-restore.ts";
import { removeTree, unlockFolder } from "./remove-tree.ts";
import { errorCode } from "./system-error.ts";

export interface SwapOptions {
  /** Absolute path of the workspace root. */
  readonly root: string;
  readonly units: readonly StagedUnit[];
  readonly stale: readonly string[];
  /** Of the staging folder: what goes is moved there, and back if something fails. */
  readonly newPlace: () => string;
  /** Whether a path, relative to the root, is a folder that may be made writable for its owner: an output that a task made read-only. Default: none. */
  readonly isOwn?: (path: string) => boolean;
  /**
   * Whether others may have files in a folder (`out` of an output `out/*.js`), which then stay, though it was not there when the restore was planned: another task's restore may have made it
   * since. Default: none.
   */
  readonly isShared?: (path: string) => boolean;
}

/** `undone`: whether everything is as it was before. */
export type SwapResult =
  | { readonly kind: "swapped" }
  | { readonly kind: "failed"; readonly cause: unknown; readonly undone: boolean };

interface Swap extends SwapOptions {
  /** Takes back what was done, last first. */
  readonly undo: (() => void)[];
}

/** Somebody else restores or runs the same task: what came in between is moved away, so often. */
const maxAttempts = 5;
/** What a rename says when something came in between, or a folder above went. */
const inTheWay = new Set<string | undefined>([
  "ENOTEMPTY",
  "EEXIST",
  "EISDIR",
  "ENOTDIR",
  "ENOENT",
]);

/**
 * Moves stale outputs out and staged ones in, by rename. When a step fails, the steps before it are taken back, so that
 * a restore is all or nothing unless the process is killed, or taking back fails, too.
 */
export function swapOutputs(options: SwapOptions): SwapResult {
  const swap: Swap = { ...options, undo: [] };
  try {
    for (const path of options.stale) unlocking(swap, path, () => moveOut(swap, path));
    for (const unit of options.units) moveIn(swap, unit);
    return { kind: "swapped" };
  } catch (cause) {
    return { kind: "failed", cause, undone: takeBack(swap) };
  }
}

function takeBack(swap: Swap): boolean {
  let undone = true;
  for (const step of swap.undo.toReversed()) {
    try {
      step();
    } catch {
      undone = false;
    }
  }
  return undone;
}

/**
 * Does a step that renames `path`, once more when what keeps it from that is a read-only folder of the task's own: the one that it is in, or, of a folder
 * that moves elsewhere, itself. It stays writable, as it is when it is restored to where nothing was.
 */
function unlocking(swap: Swap, path: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!isRefused(error)) throw error;
    const unlocked = [parentOf(path), path].filter((folder) => unlock(swap, folder));
    if (unlocked.length === 0) throw error;
    step();
  }
}

/** False: it is not one that may be made writable, or is so already. */
function unlock({ root, undo, isOwn }: Swap, path: string): boolean {
  if (isOwn?.(path) !== true) return false;
  const absolute = `${root}/${path}`;
  const before = lstat(absolute);
  if (before?.isDirectory() !== true || (before.mode & 0o300) === 0o300) return false;
  unlockFolder(absolute);
  // Taken back last: everything else that is taken back needs the right to write.
  undo.unshift(() => chmodSync(absolute, before.mode & 0o7777));
  return true;
}

function lstat(path: string): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** To the trash; across devices it is removed at once, which cannot be taken back. */
function moveOut(swap: Swap, relative: string): void {
  const path = `${swap.root}/${relative}`;
  const place = swap.newPlace();
  try {
    renameSync(path, place);
    swap.undo.push(() => renameSync(place, path));
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    if (errorCode(error) !== "EXDEV") throw error;
    removeTree(path);
    swap.undo.push(() => {
      throw new Error(`${path} is gone`, { cause: error });
    });
  }
}

function moveIn(swap: Swap, unit: StagedUnit): void {
  if (unit.kind === "directory" && swap.isShared?.(unit.path) === true) {
    mergeIn(swap, unit);
    return;
  }
  const target = `${swap.root}/${unit.path}`;
  for (let attempt = 1; ; attempt += 1) {
    makeParents(swap, parentOf(unit.path));
    const present = lstat(target);
    try {
      unlocking(swap, unit.path, () => {
        if (present !== undefined)
          makeRoom(swap, unit.path, present.isDirectory() || unit.kind === "directory");
        renameAcross(unit.staged, target);
      });
      break;
    } catch (error) {
      if (!inTheWay.has(errorCode(error)) || attempt === maxAttempts) throw error;
    }
  }
  swap.undo.push(() => renameAcross(target, unit.staged));
}

/** One by one what is in a folder that is shared; the folder itself is made where there is none. */
function mergeIn(swap: Swap, { path, staged }: StagedUnit): void {
  const present = lstat(`${swap.root}/${path}`);
  if (present?.isDirectory() === false) unlocking(swap, path, () => moveOut(swap, path));
  makeParents(swap, path);
  for (const entry of readdirSync(staged, { withFileTypes: true }))
    moveIn(swap, {
      path: `${path}/${entry.name}`,
      kind: entry.isDirectory() ? "directory" : entry.isSymbolicLink() ? "symlink" : "file",
      staged: `${staged}/${entry.name}`,
    });
}

/** A file gives way to a file within the rename, so that readers never miss it; a second name keeps the old one for taking back. */
function makeRoom(swap: Swap, path: string, mustGo: boolean): void {
  const target = `${swap.root}/${path}`;
  if (!mustGo) {
    const place = swap.newPlace();
    try {
      linkSync(target, place);
      swap.undo.push(() => renameSync(place, target));
      return;
    } catch {
      // Links, other devices, file systems without hardlinks.
    }
  }
  moveOut(swap, path);
}

/** Makes folders above an output, one by one: none of them may be a link. */
function makeParents(swap: Swap, path: string): void {
  if (path === "") return;
  const absolute = `${swap.root}/${path}`;
  const stat = lstat(absolute);
  if (stat !== undefined && !stat.isDirectory()) throw noFolder(absolute);
  // Above a folder that is there, too: any of them may be a link by now.
  makeParents(swap, parentOf(path));
  if (stat !== undefined) return;
  try {
    mkdirSync(absolute);
    swap.undo.push(() => removeFolder(absolute));
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Unless somebody put something into it. */
function removeFolder(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (errorCode(error) !== "ENOTEMPTY") throw error;
  }
}

function noFolder(path: string): Error {
  return Object.assign(new Error(`${path} is no folder`), { code: "ENOTDIR" });
}

/** `cpSync` alone fails for a link whose target is not there. */
function copy(from: string, to: string): void {
  if (lstatSync(from).isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else cpSync(from, to, { recursive: true, verbatimSymlinks: true });
}

/** A rename, or where the target is on another device (a mount below the workspace), a copy beside it and a rename. */
function renameAcross(from: string, to: string): void {
  try {
    renameSync(from, to);
    return;
  } catch (error) {
    if (errorCode(error) !== "EXDEV") throw error;
  }
  const beside = `${dirname(to)}/${stagingPrefix}${processIdentity()}`;
  try {
    copy(from, beside);
    renameSync(beside, to);
  } catch (error) {
    removeTree(beside);
    throw error;
  }
  removeTree(from);
}
