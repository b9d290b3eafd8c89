import { getStatistics } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { openSettings } from "../project/open-project.ts";
import { runMaintenance } from "../statistics/run-maintenance.ts";
import { sinceTime } from "../statistics/since.ts";
import { statisticsDocument } from "../statistics/statistics-document.ts";
import { statisticsText } from "../statistics/statistics-text.ts";

/** `cuenv cache stats`: what the runs of all processes did, and what the folder holds. */
export function runCacheStats(invocation: Invocation): Promise<number> {
  const since = flagText(invocation, "since");
  const sinceMs = since === undefined ? undefined : sinceTime(since, Date.now());
  return runMaintenance({ doing: "Measuring", done: "measured" }, async (run) => {
    const { settings, projectDirectory } = await openSettings(invocation, { remember: false });
    const statistics = await getStatistics(settings, { ...run, sinceMs });
    return {
      text:
        invocation.flags["json"] === true
          ? `${JSON.stringify(statisticsDocument(settings, statistics))}\n`
          : statisticsText(settings, statistics, { since, project: projectDirectory }),
    };
  });
}
