import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { stagingPrefix } from "./disk-layout.ts";
import { processIdentity } from "./process-identity.ts";
import { removeTree } from "./remove-tree.ts";
import { errorCode } from "./system-error.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

/** Where a restore puts what comes in before it is in place, and what it replaces, until it is done. */
export interface StagingFolder {
  /** A path where nothing is, on the file system of the workspace. */
  readonly newPlace: () => string;
  /** What was in this place has been moved away. */
  readonly empty: (place: string) => void;
  /** Removes what is left in all places. */
  remove(): void;
}

let count = 0;

/**
 * On the file system of the workspace: in the cache's `tmp` where that is the same one, else in a folder at the workspace root,
 * because only there a rename is a rename. A folder for each restore would be twice as many folders made and removed as restored, for
 * tasks with one output folder. @throws system errors
 */
export function makeStagingFolder(
  workspaceRoot: string,
  temporaryDirectory: string | undefined,
  nowMs: number,
): StagingFolder {
  count += 1;
  if (temporaryDirectory !== undefined && isSameDevice(workspaceRoot, temporaryDirectory))
    return placesIn(`${temporaryDirectory}/restore-${count}-`, () => {});
  sweepAbandoned(workspaceRoot, nowMs, stagingPrefix);
  const own = `${workspaceRoot}/${stagingPrefix}${processIdentity()}`;
  makeOwn(own);
  return placesIn(`${own}/restore-${count}-`, () => removeEmpty(own));
}

function placesIn(prefix: string, removeFolder: () => void): StagingFolder {
  const places = new Set<string>();
  let made = 0;
  return {
    newPlace() {
      const place = `${prefix}${made}`;
      made += 1;
      places.add(place);
      return place;
    },
    empty: (place) => places.delete(place),
    remove() {
      for (const place of places) quietly(() => removePlace(place));
      quietly(removeFolder);
    },
  };
}

function quietly(remove: () => void): void {
  try {
    remove();
  } catch {
    // It is swept with this process's folder.
  }
}

/** Another process may be removing the same folder, and hold it open since before it was moved here: what it leaves is removed by another try. */
const removalRetries = 5;

function removePlace(place: string): void {
  removeTree(place, { maxRetries: removalRetries, retryDelay: 0 });
}

/** Node's own `recursive` says ENOENT where the file system says EROFS or EMFILE. */
function makeOwn(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Of another restore of this process.
    if (errorCode(error) !== "EEXIST") throw error;
  }
}

/** Unless another restore of this process is at work in it. */
function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (errorCode(error) !== "ENOTEMPTY") throw error;
  }
}

/** The two folders are the same for all restores of a run. */
let compared: { readonly pair: string; readonly same: boolean } | undefined;

function isSameDevice(left: string, right: string): boolean {
  const pair = `${left}\0${right}`;
  if (compared?.pair === pair) return compared.same;
  try {
    compared = { pair, same: statSync(left).dev === statSync(right).dev };
    return compared.same;
  } catch {
    return false;
  }
}
