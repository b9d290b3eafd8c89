import { CuenvError } from "@cuenv/errors";
import { type KeyPair, machineKeyPath, parseKeyFile, readKeyFile } from "@cuenv/signer";
import type { TrustPolicy } from "./entry-trust.ts";

/** The key that somebody configured: without it nothing else will do. @throws {CuenvError} TRUST_KEY_INVALID, TRUST_KEY_EXPOSED */
export function givenKey({ signingKey, signingKeyFile }: TrustPolicy): KeyPair | undefined {
  if (signingKey !== undefined) return parseKeyFile(signingKey, "the key in CUENV_SIGNING_KEY");
  if (signingKeyFile === undefined) return undefined;
  const pair = readKeyFile(signingKeyFile);
  if (pair !== undefined) return pair;
  throw new CuenvError(
    "TRUST_KEY_INVALID",
    `cannot read key file ${signingKeyFile}: it is not there`,
    { hint: "CUENV_SIGNING_KEY_FILE names it.", location: { file: signingKeyFile } },
  );
}

/** What results are signed with here: the key that was configured, else this machine's; undefined when it has none yet. @throws as {@link givenKey} */
export function ownKeyPair(policy: TrustPolicy): KeyPair | undefined {
  return givenKey(policy) ?? readKeyFile(machineKeyPath(policy.stateDirectory));
}
