import { parseDuration } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { machineKeyPath, readKeyFile } from "@cuenv/signer";
import { formatPublicKey, generateKeyPair, setTrustedKey, writeKeyFile } from "@cuenv/signer/keys";
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
  // First the line, then the key: interrupted between the two, the old key is still both.
  const line = old === undefined ? undefined : trusted.get(old.id);
  // Where only the trust file counts, a key that had no line there gets none.
  const keeps = line !== undefined || (policy.mode === "local" && keepMs > 0);
  if (old !== undefined && keeps) {
    const notAfterMs = Date.now() + keepMs;
    setTrustedKey(place, {
      name: undefined,
      roles: ["developer"],
      namespaces: ["*"],
      notBeforeMs: undefined,
      revoked: undefined,
      ...line,
      id: old.id,
      publicKey: old.publicKey,
      notAfterMs: Math.min(notAfterMs, line?.notAfterMs ?? notAfterMs),
    });
  }
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
