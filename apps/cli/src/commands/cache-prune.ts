import { cleanupStaleEntries } from "@cuenv/cache/maintenance";
import { parseDuration } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagSize, flagValue } from "../command-line/given.ts";
import { openSettings } from "../project/open-project.ts";
import { removedText } from "../report/removed-text.ts";
import { runMaintenance } from "../statistics/run-maintenance.ts";

interface Limits {
  readonly maxAgeMs?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** `cuenv cache cleanup`: what every run that stores does at its end, now. */
export function runCacheCleanup(invocation: Invocation): Promise<number> {
  return remove(invocation, {});
}

/** `cuenv cache prune`: other limits than the configured ones, this once. */
export function runCachePrune(invocation: Invocation): Promise<number> {
  const { "max-size": size, "max-age": age } = invocation.flags;
  if (size === undefined && age === undefined) {
    throw new CuenvError("USAGE", "cannot prune: neither --max-size nor --max-age was given", {
      hint: "cuenv cache cleanup applies the configured limits; cuenv cache clear removes everything.",
    });
  }
  return remove(invocation, {
    maxBytes: flagSize(invocation, "max-size"),
    maxAgeMs: flagValue(invocation, "max-age", parseDuration, "7d"),
  });
}

function remove(invocation: Invocation, limits: Limits): Promise<number> {
  return runMaintenance({ doing: "Removing", done: "removed" }, async (run) => {
    const { settings } = await openSettings(invocation, { remember: false });
    const removed = await cleanupStaleEntries(settings, limits, run);
    return {
      text:
        invocation.flags["json"] === true
          ? `${JSON.stringify({ version: 1, ...removed })}\n`
          : removedText(removed, settings.cacheDir),
    };
  });
}
