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

/**
 * What those that depend on a task have of its key. None after a blind dependency: the key is without that one then, and dependents of a task that declares
 * no outputs would hit whatever came of it.
 */
export function keyForDependents(
  { dependencies }: Pick<TaskRequest, "dependencies">,
  key: string | undefined,
): Pick<DependencyState, "key" | "blindSince"> {
  const blind = dependencies.find(isBlind);
  if (blind === undefined) return { key };
  return { key: undefined, blindSince: blind.blindSince ?? blindText(blind) };
}

/** Why nobody can say it, for people. */
export function blindText(dependency: DependencyState): string {
  const { task, hasFailed, hasLeftProcess, declaredOutputs, blindSince } = dependency;
  if (hasFailed === true) return `${task} failed`;
  if (hasLeftProcess === true) return `${task} left a process behind`;
  if (blindSince !== undefined) return `${task} declares no outputs, and ${blindSince}`;
  return declaredOutputs.length > 0
    ? `${task} left outputs that cannot be read or stored`
    : `${task} ran, which is not cached and declares no outputs`;
}
