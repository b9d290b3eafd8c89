import { mkdirSync, rmSync, statSync } from "node:fs";
import { stagingPrefix } from "./disk-layout.ts";
import { processIdentity } from "./process-identity.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

export interface StagingFolder {
  /** What comes in. */
  readonly incoming: string;
  /** What goes out. */
  readonly trash: string;
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
  mkdirSync(path, { mode: 0o700 });
  mkdirSync(`${path}/in`);
  mkdirSync(`${path}/out`);
  return {
    incoming: `${path}/in`,
    trash: `${path}/out`,
    remove: () => {
      try {
        rmSync(path, { recursive: true, force: true });
      } catch {
        // A folder without permissions in the trash: it is swept with this process's folder.
      }
    },
  };
}

function isSameDevice(left: string, right: string): boolean {
  try {
    return statSync(left).dev === statSync(right).dev;
  } catch {
    return false;
  }
}
