import { clearCache } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { removedText } from "../report/removed-text.ts";

/** `cuenv cache clear`: the next run starts cold. */
export async function runCacheClear(invocation: Invocation): Promise<number> {
  const { settings } = await openSettings(invocation);
  const removed = await clearCache(settings);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, ...removed })}\n`);
  else printOut(removedText(removed, settings.cacheDir));
  return 0;
}
