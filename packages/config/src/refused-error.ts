import { CuenvError } from "@cuenv/errors";
import type { Task } from "./task.ts";

/**
 * The error with which a run must end, before anything is executed, if `task` is among what it would run; undefined
 * for a task that may run.
 */
export function refusedError(task: Task): CuenvError | undefined {
  if (task.kind !== "command" || task.action.kind !== "refused") return undefined;
  const { message, hint } = task.action;
  const { location } = task;
  return new CuenvError("CONFIG_REFUSED", message, {
    hint,
    ...(location === undefined ? {} : { location }),
  });
}
