import { CuenvError, type Location } from "@cuenv/errors";
import {
  fromBase64,
  keyIdOf,
  type KeyPair,
  publicKeyBytes,
  seedBytes,
  toBase64,
} from "./ed25519.ts";

/*
 * A private key, as text, so that it can be a file or the value of a variable:
 *
 *     cuenv-private-key 1
 *     id ed25519-<32 hex>
 *     public <base64 of 32 bytes>
 *     private <base64 of 32 bytes>
 */
const keyText =
  /^cuenv-private-key 1\nid (?<id>\S+)\npublic (?<publicKey>\S+)\nprivate (?<seed>\S+)\n?$/;

/** More than any key file has. */
export const maxKeyFileBytes = 4096;

export function formatKeyFile({ id, publicKey, seed }: KeyPair): string {
  return `cuenv-private-key 1\nid ${id}\npublic ${toBase64(publicKey)}\nprivate ${toBase64(seed)}\n`;
}

/**
 * What is said when it cannot be read never holds any of it. Whether the two halves belong together is for `createSigner` to find
 * out: nothing is computed here. @throws {CuenvError} TRUST_KEY_INVALID
 */
export function parseKeyFile(text: string, what: string, location?: Location): KeyPair {
  const fields = keyText.exec(text.replaceAll("\r\n", "\n"))?.groups;
  const publicKey = fromBase64(fields?.["publicKey"] ?? "", publicKeyBytes);
  const seed = fromBase64(fields?.["seed"] ?? "", seedBytes);
  if (publicKey === undefined || seed === undefined || keyIdOf(publicKey) !== fields?.["id"]) {
    throw new CuenvError(
      "TRUST_KEY_INVALID",
      `cannot read ${what}: it is no private key of cuenv`,
      location === undefined
        ? { hint: "Make one with cuenv keys generate." }
        : { hint: "Remove the file, and make one with cuenv keys generate.", location },
    );
  }
  return { id: fields["id"], publicKey, seed };
}
