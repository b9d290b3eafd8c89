import { mkdirSync, rmSync, rmdirSync, statSync } from "node:fs";
import { stagingPrefix } from "./disk-layout.ts";
import { processIdentity } from "./process-identity.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

export interface StagingFolder {
  /** New and empty. What comes in has numbers for names here, what goes out is called `out-` and a number. */
  readonly path: string;
  remove(): void;
}

let count = 0;

/**
 * A folder on the file system of the workspace: in the cache's `tmp` where that is the same one, else at the workspace root,
 * because only there a rename is a rename. @throws system errors
 */
export function makeStagingFolder(
  workspaceRoot: string,
  temporaryDirectory: string | undefined,
  nowMs: number,
): StagingFolder {
  count += 1;
  let directory = temporaryDirectory && `${temporaryDirectory}/restore-${count}`;
  if (temporaryDirectory === undefined || !isSameDevice(workspaceRoot, temporaryDirectory)) {
    sweepAbandoned(workspaceRoot, nowMs, stagingPrefix);
    directory = `${workspaceRoot}/${stagingPrefix}${processIdentity()}`;
  }
  const path = directory ?? "";
  // One folder only, and none inside: making and removing three for each of 200 tasks took a tenth of their restore.
  mkdirSync(path, { mode: 0o700 });
  return { path, remove: () => removeFolder(path) };
}

function removeFolder(path: string): void {
  try {
    rmdirSync(path);
    return;
  } catch {
    // Not empty: something was replaced, or did not come in.
  }
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // A folder without permissions in the trash: it is swept with this process's folder.
  }
}

function isSameDevice(left: string, right: string): boolean {
  try {
    return statSync(left).dev === statSync(right).dev;
  } catch {
    return false;
  }
}
