/**
 * The name of a task's target. A step of a sequence, `deploy[0]`, is `deploy.0`: in `dependsOn` Nx takes brackets, and the other characters that
 * become `_`, for globs.
 */
export function targetName(task: string): string {
  return task.replaceAll(/\[(\d+)\]/g, ".$1").replaceAll(/[*?[\]{}()!^,|+@]/g, "_");
}
