import { attest, statementType, storedTrust } from "@cuenv/cache/maintenance";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { oneName } from "../command-line/given.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv cache attest KEY`: where a stored result came from, for other tools; with `--sign` in a DSSE envelope. */
export async function runCacheAttest(invocation: Invocation): Promise<number> {
  const key = oneName(invocation, "key");
  const { settings, trust: policy, workspaceRoot } = await openSettings(invocation);
  const trust = storedTrust(settings, policy, workspaceRoot);
  const made = await attest({ settings, trust, key });
  const json = invocation.flags["json"] === true;
  const statement = JSON.stringify(made);
  if (invocation.flags["sign"] !== true) {
    printOut(json ? `${JSON.stringify({ version: 1, statement: made })}\n` : `${statement}\n`);
    return 0;
  }
  if (trust.signer === undefined) {
    throw new CuenvError(
      "TRUST_KEY_INVALID",
      "cannot sign the statement: this machine has no key",
      {
        hint: "cuenv keys generate makes one.",
      },
    );
  }
  const payload = Buffer.from(statement);
  const signatures = [trust.signer.sign(statementType, payload)];
  const envelope = { payload: payload.toString("base64"), payloadType: statementType, signatures };
  printOut(`${JSON.stringify(json ? { version: 1, statement: made, envelope } : envelope)}\n`);
  return 0;
}
