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
const keyMagic = "cuenv-private-key 1";
const keyText =
  /^cuenv-private-key 1\nid (?<id>\S+)\npublic (?<publicKey>\S+)\nprivate (?<seed>\S+)\n?$/;

/** More than any key file has. */
export const maxKeyFileBytes = 4096;

export function formatKeyFile({ id, publicKey, seed }: KeyPair): string {
  return `${keyMagic}\nid ${id}\npublic ${toBase64(publicKey)}\nprivate ${toBase64(seed)}\n`;
}

/**
 * What is said when it cannot be read never holds any of it. Whether the two halves belong together is for `createSigner` to find
 * out: nothing is computed here. @throws {CuenvError} TRUST_KEY_INVALID
 */
export function parseKeyFile(text: string, what: string, location?: Location): KeyPair {
  const lines = text.replaceAll("\r\n", "\n");
  const fields = keyText.exec(lines)?.groups;
  const publicKey = fromBase64(fields?.["publicKey"] ?? "", publicKeyBytes);
  const seed = fromBase64(fields?.["seed"] ?? "", seedBytes);
  if (publicKey === undefined || seed === undefined || keyIdOf(publicKey) !== fields?.["id"])
    throw unreadable(lines, what, location);
  return { id: fields["id"], publicKey, seed };
}

function unreadable(text: string, what: string, location: Location | undefined): CuenvError {
  const isOther = /^cuenv-private-key \d+\n/.test(text) && !text.startsWith(`${keyMagic}\n`);
  const hint =
    location === undefined
      ? "Make one with cuenv keys generate."
      : "Remove the file, and make one with cuenv keys generate.";
  return new CuenvError(
    "TRUST_KEY_INVALID",
    `cannot read ${what}: it is ${isOther ? "a key of another version" : "no private key"} of cuenv`,
    {
      hint: isOther ? "Use the version that made it, or another key." : hint,
      ...(location === undefined ? {} : { location }),
    },
  );
}
