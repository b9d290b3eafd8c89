import { assertDigest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { ActionKey } from "./action-store.ts";

const namespacePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** Whether `namespace` can be the name of a folder everywhere. */
export function isNamespace(namespace: string): boolean {
  return namespacePattern.test(namespace);
}

/** @throws {CuenvError} DIGEST_INVALID, AC_NAMESPACE_INVALID */
export function assertActionKey(key: ActionKey): void {
  assertDigest(key.digest);
  if (!isNamespace(key.namespace)) {
    throw new CuenvError(
      "AC_NAMESPACE_INVALID",
      `cannot use namespace ${JSON.stringify(key.namespace)}: not letters, digits, \`.\`, \`_\` and \`-\``,
    );
  }
}
