import { purgeEntriesOf } from "@cuenv/cache/maintenance";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { keyIdOfName } from "../keys/trust-place.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { removedText } from "../report/removed-text.ts";

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
  const removed = await purgeEntriesOf(settings, keyId);
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, keyId, ...removed })}\n`);
  else printOut(removedText(removed, settings.cacheDir, ` of ${keyId}`));
  return 0;
}
