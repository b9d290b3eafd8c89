import { isReadable, isWritable } from "@cuenv/config";
import type { DependencyState, TaskRequest } from "./task-request.ts";

/** Whether this run of a task reads and writes entries. */
export function resolvedMode(request: TaskRequest): {
  readonly read: boolean;
  readonly write: boolean;
} {
  const blind = request.dependencies.some(isBlind);
  return {
    read: isReadable(request.mode) && !request.force && !blind,
    // A result whose dependency nobody can describe would never be found again by a key that means something.
    write: isWritable(request.mode) && !blind,
  };
}

/** Whether nobody can say what came of a dependency: it is not cached, and declares no outputs or left some that cannot be described. */
export function isBlind({ key, outputs }: DependencyState): boolean {
  return key === undefined && outputs === undefined;
}

/** Why nobody can say it, for people. */
export function blindText({ task, hasFailed, declaredOutputs }: DependencyState): string {
  if (hasFailed === true) return `${task} failed`;
  return declaredOutputs.length > 0
    ? `${task} left outputs that cannot be read or stored`
    : `${task} ran, which is not cached and declares no outputs`;
}
