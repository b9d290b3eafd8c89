import { CuenvError } from "@cuenv/errors";
import type { RestoreMarks } from "./mark-files.ts";

/**
 * incomplete: a blob is not in the store. corrupt: a blob is damaged. invalid: the entries are hostile or do not fit the declared outputs.
 * unavailable: the store cannot be read. failed: the workspace cannot be written. spared: a file has to stay as it is; the detail is its path.
 */
export type RestoreMissReason =
  | "incomplete"
  | "corrupt"
  | "invalid"
  | "unavailable"
  | "failed"
  | "spared";

export type RestoreResult =
  | {
      readonly kind: "restored";
      readonly restoredFiles: number;
      readonly restoredBytes: number;
      /** Stale outputs that went; a folder counts once. */
      readonly removedPaths: number;
      /** Files that were right already. */
      readonly unchangedFiles: number;
      /** Nothing had to change, folders and links included. */
      readonly wasInPlace: boolean;
      /** Undefined: nothing was put in place. */
      readonly marks: RestoreMarks | undefined;
    }
  | {
      readonly kind: "miss";
      readonly reason: RestoreMissReason;
      readonly detail: string;
      readonly cause: unknown;
      /** True only when taking back a failed swap failed, too; the task's outputs were then removed. */
      readonly workspaceChanged: boolean;
    };

export type RestoreMiss = Extract<RestoreResult, { kind: "miss" }>;

export function miss(
  reason: RestoreMissReason,
  cause: unknown,
  workspaceChanged = false,
): RestoreMiss {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { kind: "miss", reason, detail, cause, workspaceChanged };
}

export function invalid(path: string, reason: string): RestoreMiss {
  return miss("invalid", notRestored(path, reason));
}

/** By something in the workspace. */
export function blocked(path: string, reason: string): RestoreMiss {
  return miss("failed", notRestored(path, reason));
}

function notRestored(path: string, reason: string): CuenvError {
  return new CuenvError("CAS_ENTRY_INVALID", `cannot restore ${JSON.stringify(path)}: ${reason}`);
}
