import type { ResolvedCacheSettings } from "./resolve-cache-settings.ts";
import type { Project, Task } from "./task.ts";

/** Settings of a task that stand in the place of global ones. `mode` is not among them: it narrows; nor are `runtime`, which adds, and `maxAge`, which is about something else. */
export const taskOverrides = ["envInclude", "envExclude", "envMode", "keyEpoch"] as const;

/**
 * The tasks as they are in this run: flags and variables are stronger than a task, so a setting that came from there takes the
 * task's own away. The same object when there is none.
 */
export function overTasks(
  tasks: Project["tasks"],
  { sources }: Pick<ResolvedCacheSettings, "sources">,
): Project["tasks"] {
  const stronger = taskOverrides.filter((field) => {
    const { source } = sources[field];
    return source === "flag" || source === "environment";
  });
  if (stronger.length === 0) return tasks;
  const none = Object.fromEntries(stronger.map((field) => [field, undefined]));
  const result: Record<string, Task> = Object.create(null);
  for (const [name, task] of Object.entries(tasks))
    result[name] = task.kind === "command" ? { ...task, cache: { ...task.cache, ...none } } : task;
  return result;
}
