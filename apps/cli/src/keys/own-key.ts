import { givenKey, type TrustPolicy } from "@cuenv/cache";
import { type KeyPair, machineKeyPath, readKeyFile } from "@cuenv/signer";

/** The key that results are signed with here, and where it is from; undefined: this machine has none yet. */
export function ownKey(
  policy: TrustPolicy,
): { readonly pair: KeyPair; readonly from: string } | undefined {
  const given = givenKey(policy);
  if (given !== undefined) {
    const from = policy.signingKey === undefined ? "CUENV_SIGNING_KEY_FILE" : "CUENV_SIGNING_KEY";
    return { pair: given, from };
  }
  const path = machineKeyPath(policy.stateDirectory);
  const pair = readKeyFile(path);
  return pair === undefined ? undefined : { pair, from: path };
}
