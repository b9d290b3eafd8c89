import { createVerifier, type TrustedKey, type VerifyingMode } from "@cuenv/signer";
import type { Invocation } from "../command-line/command.ts";
import { ownKey } from "../keys/own-key.ts";
import { openKeys } from "../keys/trust-place.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv keys list`: whom this machine trusts, for what, and what it signs with. */
export async function runKeysList(invocation: Invocation): Promise<number> {
  const { policy, trusted } = await openKeys();
  const own = ownKey(policy);
  const rows = [...trusted.values()].map((key) => row(key, policy.mode, trusted));
  if (invocation.flags["json"] === true) {
    const signing = own === undefined ? null : { id: own.pair.id, from: own.from };
    const document = { version: 1, mode: policy.mode, trustFile: policy.trustFile, signing };
    printOut(`${JSON.stringify({ ...document, keys: rows })}\n`);
    return 0;
  }
  const lines = [
    `Mode         ${policy.mode}`,
    `Signs with   ${own === undefined ? "nothing yet; a key is made when a result is stored" : `${own.pair.id} (${own.from})`}`,
    `Trust file   ${policy.trustFile}: ${rows.length} ${rows.length === 1 ? "key" : "keys"}`,
    ...rows.map(
      ({ id, name, state, roles, namespaces }) =>
        `  ${id}  ${state}  ${roles.join(",")}  ${namespaces.join(",")}${name === null ? "" : `  ${name}`}`,
    ),
  ];
  printOut(`${lines.join("\n")}\n`);
  return 0;
}

function row(
  key: TrustedKey,
  mode: VerifyingMode | "off",
  trusted: ReadonlyMap<string, TrustedKey>,
) {
  const [namespace = "default"] = key.namespaces;
  const verifier = createVerifier({ mode: mode === "off" ? "required" : mode, trusted });
  const { id, name = null, roles, namespaces, revoked } = key;
  const verdict = verifier.trusts(key, { namespace });
  const state =
    verdict.kind === "refused"
      ? verdict.reason
      : revoked === undefined
        ? "trusted"
        : `trusted until ${time(revoked)}`;
  return { id, name, state, roles, namespaces };
}

function time(revoked: "always" | number): string {
  return revoked === "always" ? "never" : new Date(revoked).toISOString();
}
