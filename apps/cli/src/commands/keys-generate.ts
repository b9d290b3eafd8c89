import { CuenvError } from "@cuenv/errors";
import { machineKeyPath } from "@cuenv/signer";
import { formatPublicKey, generateKeyPair, writeKeyFile } from "@cuenv/signer/keys";
import { resolve } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { openKeys } from "../keys/trust-place.ts";
import { printErr, printOut } from "../report/terminal.ts";

/** `cuenv keys generate [FILE]`: a key for a CI system in a file, or this machine's. The public half goes to stdout. */
export async function runKeysGenerate(invocation: Invocation): Promise<number> {
  const { policy } = await openKeys();
  const [name] = invocation.names;
  const path = name === undefined ? machineKeyPath(policy.stateDirectory) : resolve(name);
  const pair = generateKeyPair();
  if (!writeKeyFile(path, pair, "keep")) {
    throw new CuenvError("USAGE", `cannot make key file ${path}: there is one already`, {
      hint:
        name === undefined ? "cuenv keys rotate replaces it." : "Name another file, or remove it.",
    });
  }
  if (invocation.flags["json"] === true)
    printOut(
      `${JSON.stringify({ version: 1, id: pair.id, publicKey: formatPublicKey(pair), file: path })}\n`,
    );
  else {
    printOut(`${formatPublicKey(pair)}\n`);
    printErr(`The private key is in ${path}; the line above is its public half.\n`);
  }
  return 0;
}
