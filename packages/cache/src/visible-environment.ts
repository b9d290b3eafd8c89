import type { CacheSettings, CommandTask } from "@cuenv/config";
import { type EnvironmentFilter, filterEnvironmentVariables } from "@cuenv/key";
import type { TaskRequest } from "./task-request.ts";

type Variables = Pick<TaskRequest, "variables" | "hostEnvironment" | "keyedEnvironment">;

/** What decides which variables a cached task sees, and which are in its key. */
export function environmentFilter(
  settings: CacheSettings,
  { cache }: CommandTask,
  { hostEnvironment, keyedEnvironment, variables }: Variables,
): EnvironmentFilter {
  return {
    host: hostEnvironment,
    keyed: keyedEnvironment,
    declared: variables,
    include: cache.envInclude ?? settings.envInclude,
    exclude: cache.envExclude ?? settings.envExclude,
    mode: cache.envMode ?? settings.envMode,
  };
}

/** The environment that a cached run would give a task, for who runs it without the cache. */
export function visibleEnvironment(
  settings: CacheSettings,
  task: CommandTask,
  variables: Variables,
): Readonly<Record<string, string>> {
  return filterEnvironmentVariables(environmentFilter(settings, task, variables)).visible;
}
