import { clearCache } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { openSettings } from "../project/open-project.ts";
import { removedText } from "../report/removed-text.ts";
import { runMaintenance } from "../statistics/run-maintenance.ts";

/** `cuenv cache clear`: the next run starts cold. */
export function runCacheClear(invocation: Invocation): Promise<number> {
  return runMaintenance({ doing: "Removing", done: "removed" }, async (run) => {
    const { settings } = await openSettings(invocation, { remember: false });
    const removed = await clearCache(settings, run);
    return {
      text:
        invocation.flags["json"] === true
          ? `${JSON.stringify({ version: 1, ...removed })}\n`
          : removedText(removed, settings.cacheDir),
    };
  });
}
