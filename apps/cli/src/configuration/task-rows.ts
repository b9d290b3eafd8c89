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

type Mode = Pick<CacheSettings, "enabled" | "defaultMode">;

/** Whether a task is cached in a run with these settings, and why not. */
export function taskState(
  settings: Mode,
  { cache }: CommandTask,
): { readonly mode: string; readonly reason: string | null } {
  const mode = getTaskCacheMode(settings, cache);
  return { mode, reason: mode === "off" ? uncachedReason(settings, cache) : null };
}

/** Why a task is not cached in a run with these settings: half a sentence about it. */
export function uncachedReason(settings: Mode, cache: CommandTask["cache"]): string {
  const { disabledReason, mode } = cache;
  if (disabledReason === "undeclared") return "it declares neither inputs nor outputs";
  if (disabledReason === "task" || mode === "off") return "the task says so";
  return !settings.enabled || settings.defaultMode === "off"
    ? "the cache is off"
    : "its mode and the run's have nothing in common";
}
