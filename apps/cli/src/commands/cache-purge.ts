import { purgeEntriesOf } from "@cuenv/cache/maintenance";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText, keyIdOfName } from "../keys/trust-place.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { formatBytes } from "../run/format-duration.ts";

/** `cuenv cache purge --key-id ID`: what a key signed goes, in every namespace. */
export async function runCachePurge(invocation: Invocation): Promise<number> {
  const given = flagText(invocation, "key-id");
  if (given === undefined) {
    throw new CuenvError("USAGE", "cannot purge: no key was named", {
      hint: "cuenv cache purge --key-id ID; cuenv cache clear removes everything.",
    });
  }
  const keyId = keyIdOfName(given);
  const { settings } = await openSettings(invocation);
  const { entries, bytes } = await purgeEntriesOf(settings, keyId);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, keyId, entries, bytes })}\n`);
  else
    printOut(
      `Removed ${entries} ${entries === 1 ? "result" : "results"} of ${keyId}, ${formatBytes(bytes)}, from ${settings.cacheDir}\n`,
    );
  return 0;
}
