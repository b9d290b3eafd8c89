import type { VerifyEnvelope } from "@cuenv/action-cache";
import type { CacheSettings } from "@cuenv/config";
import { createSigner, type Signer } from "@cuenv/signer";
import { createEntryTrust, type TrustPolicy } from "./entry-trust.ts";
import { ownKeyPair } from "./given-key.ts";

/** Whose entries are used, for commands that look at what is stored. */
export interface StoredTrust {
  /** Undefined under `off`. */
  readonly verify: VerifyEnvelope | undefined;
  /** What is signed with here; undefined: there is no key yet. */
  readonly signer: Signer | undefined;
}

/** @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE, TRUST_KEY_INVALID, TRUST_KEY_EXPOSED */
export function storedTrust(
  settings: CacheSettings,
  policy: TrustPolicy,
  workspaceRoot: string | undefined,
): StoredTrust {
  const pair = ownKeyPair(policy);
  const { verify } = createEntryTrust({
    policy,
    workspaceRoot,
    cacheDirectory: settings.cacheDir,
    namespace: settings.namespace,
    memoPath: undefined,
    now: Date.now,
    // What is wrong with the key was thrown above.
    emit: () => undefined,
  });
  return { verify, signer: pair === undefined ? undefined : createSigner(pair) };
}
