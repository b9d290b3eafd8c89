import type { TrustPolicy } from "@cuenv/cache";
import { CuenvError } from "@cuenv/errors";
import { isKeyId, readTrustFile, type TrustedKeys, type TrustFilePlace } from "@cuenv/signer";
import { openTrust } from "../project/open-project.ts";

/** What the commands of keys work on. */
export interface OpenKeys {
  readonly policy: TrustPolicy;
  readonly place: TrustFilePlace;
  readonly trusted: TrustedKeys;
}

/** @throws {CuenvError} TRUST_FILE_INVALID, TRUST_FILE_EXPOSED, TRUST_FILE_PLACE, and as the settings */
export async function openKeys(): Promise<OpenKeys> {
  const { trust: policy, workspaceRoot } = await openTrust();
  const place = {
    path: policy.trustFile,
    foreign: workspaceRoot === undefined ? [] : [workspaceRoot],
  };
  return { policy, place, trusted: readTrustFile(place) };
}

/** @throws {CuenvError} USAGE */
export function keyIdOfName(name: string): string {
  if (isKeyId(name)) return name;
  throw new CuenvError("USAGE", `cannot use "${name}": it is no key id`, {
    hint: "A key id is ed25519- and 32 hexadecimal digits; cuenv keys list shows them.",
  });
}
