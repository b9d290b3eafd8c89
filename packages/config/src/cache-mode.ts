import { CuenvError } from "@cuenv/errors";
import type { CacheMode, CacheSettings, TaskCacheSettings } from "./cache-settings.ts";

export const cacheModes: readonly CacheMode[] = ["off", "read", "read-write", "write"];

/** The mode named by `text` in any letter case, or undefined. */
export function findCacheMode(text: string): CacheMode | undefined {
  const wanted = text.trim().toLowerCase();
  return cacheModes.find((mode) => mode === wanted);
}

/**
 * The mode that a flag of the command line (`--cache`) names, in any letter case.
 * @throws {CuenvError} USAGE for anything but the four
 */
export function parseCacheMode(text: string, flag: string): CacheMode {
  const mode = findCacheMode(text);
  if (mode !== undefined) return mode;
  const given = JSON.stringify(text.slice(0, 60));
  throw new CuenvError("USAGE", `cannot use ${flag} ${given}: it is not a cache mode`, {
    hint: cacheModeHint,
  });
}

export const cacheModeHint: string = `the modes are ${cacheModes.join(", ")}`;

/** Whether this task takes part in caching at all: it does, and the run's mode, narrowed by its own, is not "off". */
export function isCachingEnabled(
  settings: Pick<CacheSettings, "enabled" | "defaultMode">,
  task?: Pick<TaskCacheSettings, "enabled" | "mode">,
): boolean {
  return getTaskCacheMode(settings, task) !== "off";
}

/**
 * The mode that holds for a task. `settings` are the resolved ones: flags before environment before files. "off" if
 * caching is disabled in them or by the task; else what both the run's mode and the task's own allow (read-write and
 * read make read; read and write have nothing in common and make off).
 */
export function getTaskCacheMode(
  settings: Pick<CacheSettings, "enabled" | "defaultMode">,
  task?: Pick<TaskCacheSettings, "enabled" | "mode">,
): CacheMode {
  if (!settings.enabled || task?.enabled === false) return "off";
  return narrow(settings.defaultMode, task?.mode ?? "read-write");
}

export function isReadable(mode: CacheMode): boolean {
  return mode === "read" || mode === "read-write";
}

export function isWritable(mode: CacheMode): boolean {
  return mode === "write" || mode === "read-write";
}

function narrow(outer: CacheMode, inner: CacheMode): CacheMode {
  const read = isReadable(outer) && isReadable(inner);
  const write = isWritable(outer) && isWritable(inner);
  if (read) return write ? "read-write" : "read";
  return write ? "write" : "off";
}
