import { CuenvError } from "@cuenv/errors";
import { type KeyRole, keyRoles, type TrustedKey } from "@cuenv/signer";
import {
  editTrustFile,
  formatTrustLine,
  parsePublicKeys,
  parseTrustFile,
  parseTrustTime,
} from "@cuenv/signer/keys";
import { readFileSync } from "node:fs";
import type { Invocation } from "../command-line/command.ts";
import { flagText, oneName } from "../command-line/given.ts";
import { openKeys } from "../keys/trust-place.ts";
import { printErr, printOut } from "../report/terminal.ts";

/** `cuenv keys trust FILE`: takes the public keys of FILE (`-`: of stdin) into the trust file, for what the flags say. */
export async function runKeysTrust(invocation: Invocation): Promise<number> {
  const file = oneName(invocation, "file of public keys");
  const { place } = await openKeys();
  const keys = parsePublicKeys(readText(file), file === "-" ? "standard input" : file);
  if (keys.length === 0)
    throw new CuenvError("TRUST_KEY_INVALID", `cannot read public key in ${file}: there is none`);
  const grant = grantOf(invocation);
  const lines = keys.map((key): TrustedKey => ({ ...key, ...grant, revoked: undefined }));
  for (const line of lines) parseTrustFile(formatTrustLine(line), "the command line");
  editTrustFile(place, (trusted) => {
    // Who was revoked is not trusted again by repeating a command.
    const revoked = lines.find(({ id }) => trusted.get(id)?.revoked !== undefined);
    if (revoked === undefined) return lines;
    throw new CuenvError("USAGE", `cannot trust ${revoked.id}: it is revoked`, {
      hint: `If that was a mistake, take its line out of ${place.path}.`,
    });
  });
  for (const { id } of keys) printErr(`${id} is trusted now (${place.path}).\n`);
  if (invocation.flags["json"] === true) {
    const ids = keys.map(({ id }) => id);
    printOut(`${JSON.stringify({ version: 1, trustFile: place.path, trusted: ids })}\n`);
  }
  return 0;
}

function grantOf(invocation: Invocation): Omit<TrustedKey, "id" | "publicKey" | "revoked"> {
  const roles = (flagText(invocation, "role") ?? "developer").split(",").map(roleOf);
  const namespaces = (flagText(invocation, "namespace") ?? "default").split(",");
  const until = flagText(invocation, "not-after");
  const notAfterMs = until === undefined ? undefined : parseTrustTime(until);
  if (until !== undefined && notAfterMs === undefined)
    throw new CuenvError("USAGE", `cannot use --not-after ${until}: write 2027-01-31`);
  const name = flagText(invocation, "name");
  return { name, roles, namespaces, notBeforeMs: undefined, notAfterMs };
}

function roleOf(word: string): KeyRole {
  const role = keyRoles.find((known) => known === word);
  if (role !== undefined) return role;
  throw new CuenvError("USAGE", `cannot use --role ${word}: the roles are ${keyRoles.join(", ")}`);
}

function readText(file: string): string {
  try {
    return readFileSync(file === "-" ? 0 : file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    throw new CuenvError("USAGE", `cannot read ${file}: ${reason}`, { cause });
  }
}
