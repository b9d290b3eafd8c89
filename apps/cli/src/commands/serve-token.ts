import { randomBytes } from "node:crypto";
import { CuenvError } from "@cuenv/errors";
import { hashToken, parseServerSettings } from "@cuenv/server";
import type { Invocation } from "../command-line/command.ts";
import { flagText, oneName } from "../command-line/given.ts";
import { printErr, printOut } from "../report/terminal.ts";

/** `cuenv serve token`: the token is printed once and kept nowhere; the configuration has its hash. */
export async function runServeToken(invocation: Invocation): Promise<number> {
  const name = oneName(invocation, "cuenv serve token NAME");
  const token = `cuenv_${randomBytes(32).toString("base64url")}`;
  const namespaces = listed(flagText(invocation, "namespaces")) ?? "*";
  const scopes = listed(flagText(invocation, "scopes")) ?? ["read", "write"];
  const entry = { name, sha256: hashToken(token), namespaces, scopes };
  assertUsable(entry);
  if (invocation.flags["json"] === true) {
    printOut(`${JSON.stringify({ version: 1, token, entry })}\n`);
    return 0;
  }
  printErr("The token, for the client (it is shown this once):\n");
  printOut(`${token}\n`);
  printErr(`\nIts entry, for the server's configuration:\ntokens:\n  - ${JSON.stringify(entry)}\n`);
  return 0;
}

function listed(text: string | undefined): string[] | undefined {
  return text?.split(",").map((word) => word.trim());
}

function assertUsable(entry: object): void {
  try {
    parseServerSettings(JSON.stringify({ tokens: [entry] }), "the token", {});
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    throw new CuenvError("USAGE", error.message.replace("cannot use", "cannot make"));
  }
}
