import { getStatistics } from "@cuenv/cache/maintenance";
import type { OpenProject } from "../project/open-project.ts";
import { printErr } from "../report/terminal.ts";
import { statisticsText } from "./statistics-text.ts";

/** What `cuenv cache stats` says, on stderr, behind a run that was asked for it (`CUENV_CACHE_STATS`). With the cache off there is nothing to say. */
export async function reportStatistics({ cache, projectDirectory }: OpenProject): Promise<void> {
  const { settings } = cache;
  if (!settings.enabled || settings.defaultMode === "off") return;
  const statistics = await getStatistics(settings, {});
  printErr(statisticsText(settings, statistics, { since: undefined, project: projectDirectory }));
}
