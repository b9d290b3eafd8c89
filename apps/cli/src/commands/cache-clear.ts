import { clearCache } from "@cuenv/cache/maintenance";
import type { Invocation } from "../command-line/command.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { formatBytes } from "../run/format-duration.ts";

/** `cuenv cache clear`: the next run starts cold. */
export async function runCacheClear(invocation: Invocation): Promise<number> {
  const { settings } = await openSettings(invocation);
  const { entries, bytes } = await clearCache(settings);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, entries, bytes })}\n`);
  else
    printOut(
      `Removed ${entries} ${entries === 1 ? "result" : "results"}, ${formatBytes(bytes)}, from ${settings.cacheDir}\n`,
    );
  return 0;
}
