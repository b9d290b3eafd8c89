import { CuenvError } from "@cuenv/errors";
import type { TrustedKey } from "@cuenv/signer";
import { editTrustFile, parseTrustTime } from "@cuenv/signer/keys";
import type { Invocation } from "../command-line/command.ts";
import { ownKey } from "../keys/own-key.ts";
import { flagText, oneName } from "../command-line/given.ts";
import { keyIdOfName, openKeys, type OpenKeys } from "../keys/trust-place.ts";
import { printErr, printOut } from "../report/terminal.ts";

/** `cuenv keys revoke KEY-ID`: nothing that the key signed is used any more; with `--since`, nothing that says to be from then on. */
export async function runKeysRevoke(invocation: Invocation): Promise<number> {
  const id = keyIdOfName(oneName(invocation, "key id"));
  const since = flagText(invocation, "since");
  const sinceMs = since === undefined ? undefined : parseTrustTime(since);
  if (since !== undefined && sinceMs === undefined)
    throw new CuenvError(
      "USAGE",
      `cannot use --since ${since}: write 2026-01-31, or 2026-01-31T12:00:00Z`,
    );
  const keys = await openKeys();
  editTrustFile(keys.place, (trusted) => [
    { ...knownKey({ ...keys, trusted }, id), revoked: sinceMs ?? "always" },
  ]);
  if (invocation.flags["json"] === true) {
    const from = sinceMs === undefined ? null : new Date(sinceMs).toISOString();
    const { path: trustFile } = keys.place;
    printOut(`${JSON.stringify({ version: 1, trustFile, revoked: id, since: from })}\n`);
  }
  printErr(
    `${id} is revoked (${keys.place.path}). cuenv cache purge --key-id ${id} removes its results.\n`,
  );
  return 0;
}

/** This machine's own key is trusted without a line; its revocation needs one. */
function knownKey({ policy, trusted, place }: OpenKeys, id: string): TrustedKey {
  const line = trusted.get(id);
  if (line !== undefined) return line;
  const own = ownKey(policy);
  if (own?.pair.id === id) {
    const { publicKey } = own.pair;
    const open = { name: undefined, notBeforeMs: undefined, notAfterMs: undefined };
    return { id, publicKey, ...open, roles: ["developer"], namespaces: ["*"], revoked: undefined };
  }
  throw new CuenvError("USAGE", `cannot revoke ${id}: it is not in ${place.path}`, {
    hint: "What is not there is not trusted.",
  });
}
