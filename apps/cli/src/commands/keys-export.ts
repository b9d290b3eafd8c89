import { CuenvError } from "@cuenv/errors";
import { machineKeyPath, readKeyFile } from "@cuenv/signer";
import { formatPublicKey, readOrMakeKey } from "@cuenv/signer/keys";
import { resolve } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { ownKey } from "../keys/own-key.ts";
import { openKeys } from "../keys/trust-place.ts";
import { printOut } from "../report/terminal.ts";

/** `cuenv keys export [FILE]`: the public half of a key file or of what is signed with here, for others to trust. */
export async function runKeysExport(invocation: Invocation): Promise<number> {
  const { policy } = await openKeys();
  const [name] = invocation.names;
  const pair =
    name === undefined
      ? (ownKey(policy)?.pair ?? readOrMakeKey(machineKeyPath(policy.stateDirectory)))
      : readKeyFile(resolve(name));
  if (pair === undefined)
    throw new CuenvError("USAGE", `cannot read key file ${name}: it is not there`);
  const publicKey = formatPublicKey(pair);
  const json = invocation.flags["json"] === true;
  printOut(json ? `${JSON.stringify({ version: 1, id: pair.id, publicKey })}\n` : `${publicKey}\n`);
  return 0;
}
