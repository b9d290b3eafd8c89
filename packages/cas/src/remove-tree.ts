import { chmodSync, lstatSync, readdirSync, rmSync, type RmOptions, unlinkSync } from "node:fs";
import { isAbsence, isRefused } from "@cuenv/digest";

const ownerMayAll = 0o700;

/**
 * Removes what is ours, whatever it is, with all that is below it; read-only folders in it (a task may have made them so) are opened for that.
 * No link is followed. @throws system errors, but not when nothing is there
 */
export function removeTree(path: string, options: RmOptions = {}): void {
  if (!isFolder(path)) {
    removeOne(path);
    return;
  }
  const all = { ...options, recursive: true, force: true };
  try {
    rmSync(path, all);
  } catch (error) {
    if (!isRefused(error)) throw error;
    unlock(path);
    rmSync(path, all);
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Not with `rmSync`: in Node 24 (until 24.13) and 25 (until 25.3) it follows a link to see whether there is something to remove, and leaves one to nothing where it is. */
function removeOne(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (!isAbsence(error)) throw error;
  }
}

function unlock(path: string): void {
  if (!unlockFolder(path)) return;
  for (const entry of readdirSync(path, { withFileTypes: true }))
    if (entry.isDirectory()) unlock(`${path}/${entry.name}`);
}

/** Gives its owner all rights to a folder. False: there is none. @throws system errors */
export function unlockFolder(path: string): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() !== true) return false;
  if ((stat.mode & ownerMayAll) !== ownerMayAll)
    chmodSync(path, (stat.mode & 0o7777) | ownerMayAll);
  return true;
}
