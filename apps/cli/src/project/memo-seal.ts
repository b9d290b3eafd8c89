import { givenKey, ownKeyPair, type TrustPolicy } from "@cuenv/cache";
import { derivedSecret, type KeyPair, machineKeyPath } from "@cuenv/signer";

/**
 * What evaluations are remembered under. They say which commands run, and lie in the cache folder: where trust is asked for, one that
 * somebody else put there must not count.
 */
export interface MemoSeal {
  /** A secret of this machine; undefined with trust off: who can write there is believed. */
  readonly secret: Uint8Array | undefined;
}

/** Undefined: there is no key yet, or it cannot be used, so nothing is recalled. Never throws. */
export function readMemoSeal(policy: TrustPolicy): MemoSeal | undefined {
  if (policy.mode === "off") return { secret: undefined };
  try {
    return sealOf(ownKeyPair(policy));
  } catch {
    // Told by whoever signs with it.
    return undefined;
  }
}

/** As {@link readMemoSeal}; makes this machine's key if need be. Undefined: nothing is to be remembered. */
export async function makeMemoSeal(policy: TrustPolicy): Promise<MemoSeal | undefined> {
  const seal = readMemoSeal(policy);
  if (seal !== undefined) return seal;
  try {
    const { readOrMakeKey } = await import("@cuenv/signer/keys");
    return sealOf(givenKey(policy) ?? readOrMakeKey(machineKeyPath(policy.stateDirectory)));
  } catch {
    return undefined;
  }
}

function sealOf(pair: KeyPair | undefined): MemoSeal | undefined {
  return pair && { secret: derivedSecret(pair, "evaluation memo") };
}
