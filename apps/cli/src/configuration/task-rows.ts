import {
  type CacheSettings,
  type CommandTask,
  getTaskCacheMode,
  writtenDuration,
} from "@cuenv/config";

/** What a task says about its own caching, beside the settings that stand in the place of global ones. */
export interface TaskRow {
  readonly name: string;
  readonly value: unknown;
  readonly source: "task" | "default";
}

export function taskRows({ cache }: CommandTask): readonly TaskRow[] {
  const row = (name: string, value: unknown, isSet: boolean): TaskRow => ({
    name,
    value: value ?? null,
    source: isSet ? "task" : "default",
  });
  const list = (name: string, items: readonly string[]): TaskRow =>
    row(name, items, items.length > 0);
  const { maxAgeMs, customKeyComponents: components } = cache;
  return [
    row("mode", cache.mode, cache.mode !== undefined),
    row(
      "maxAge",
      maxAgeMs === undefined ? null : writtenDuration(maxAgeMs),
      maxAgeMs !== undefined,
    ),
    row("cacheKey", cache.cacheKey, cache.cacheKey !== undefined),
    list("extraInputs", cache.extraInputs),
    list("ignoreInputs", cache.ignoreInputs),
    row("customKeyComponents", components, Object.keys(components).length > 0),
    list("runtime", cache.runtime),
  ];
}

/** Whether a task is cached in a run with these settings, and why not. */
export function taskState(
  settings: Pick<CacheSettings, "enabled" | "defaultMode">,
  { cache }: CommandTask,
): { readonly mode: string; readonly reason: string | null } {
  const mode = getTaskCacheMode(settings, cache);
  if (mode !== "off") return { mode, reason: null };
  const reasons = {
    task: "the task says so",
    undeclared: "it declares neither inputs nor outputs",
  };
  if (cache.disabledReason !== undefined) return { mode, reason: reasons[cache.disabledReason] };
  const isOff = !settings.enabled || settings.defaultMode === "off";
  return {
    mode,
    reason: isOff ? "the cache is off" : "its mode and the run's have nothing in common",
  };
}
