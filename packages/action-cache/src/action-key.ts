import { assertNamespace } from "@cuenv/cas";
import { assertDigest } from "@cuenv/digest";
import type { ActionKey } from "./action-store.ts";

/** @throws {CuenvError} DIGEST_INVALID, AC_NAMESPACE_INVALID */
export function assertActionKey(key: ActionKey): void {
  assertDigest(key.digest);
  assertNamespace(key.namespace);
}
