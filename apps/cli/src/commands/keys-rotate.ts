import { parseDuration } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { machineKeyPath, type PublicKey, readKeyFile, type TrustedKey } from "@cuenv/signer";
import { editTrustFile, formatPublicKey, generateKeyPair, writeKeyFile } from "@cuenv/signer/keys";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { openKeys } from "../keys/trust-place.ts";
import { printErr, printOut } from "../report/terminal.ts";

/** `cuenv keys rotate`: a new key for this machine. What the old one signed is used for as long as `--keep` says. */
export async function runKeysRotate(invocation: Invocation): Promise<number> {
  const keep = flagText(invocation, "keep") ?? "30d";
  const keepMs = parseDuration(keep);
  if (keepMs === undefined)
    throw new CuenvError("USAGE", `cannot use --keep ${keep}: write 0s, 12h or 30d`);
  const { policy, place, trusted } = await openKeys();
  const path = machineKeyPath(policy.stateDirectory);
  const old = readKeyFile(path);
  // Where only the trust file counts, a key that had no line there gets none.
  const keeps =
    old !== undefined && (trusted.has(old.id) || (policy.mode === "local" && keepMs > 0));
  // First the line, then the key: interrupted between the two, the old key is still both.
  if (keeps) editTrustFile(place, (now) => [keptLine(old, now.get(old.id), Date.now() + keepMs)]);
  const made = generateKeyPair();
  writeKeyFile(path, made, "replace");
  const publicKey = formatPublicKey(made);
  const replaced = old === undefined ? null : { id: old.id, keptMs: keeps ? keepMs : 0 };
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify({ version: 1, id: made.id, publicKey, replaced })}\n`
      : `${publicKey}\n`,
  );
  if (old !== undefined)
    printErr(
      keeps && keepMs > 0
        ? `${old.id} is trusted for ${keep} more.\n`
        : `${old.id} is not trusted any more.\n`,
    );
  return 0;
}

function keptLine(
  { id, publicKey }: PublicKey,
  line: TrustedKey | undefined,
  notAfterMs: number,
): TrustedKey {
  return {
    name: undefined,
    roles: ["developer"],
    namespaces: ["*"],
    notBeforeMs: undefined,
    revoked: undefined,
    ...line,
    id,
    publicKey,
    notAfterMs: Math.min(notAfterMs, line?.notAfterMs ?? notAfterMs),
  };
}
