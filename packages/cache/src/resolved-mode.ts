import { isReadable, isWritable } from "@cuenv/config";
import type { TaskRequest } from "./task-request.ts";

/** Whether this run of a task reads and writes entries. */
export function resolvedMode(request: TaskRequest): {
  readonly read: boolean;
  readonly write: boolean;
} {
  const blind = request.dependencies.some(
    ({ key, outputs }) => key === undefined && outputs === undefined,
  );
  return {
    read: isReadable(request.mode) && !request.force && !blind,
    // A result whose dependency nobody can describe would never be found again by a key that means something.
    write: isWritable(request.mode) && !blind,
  };
}
