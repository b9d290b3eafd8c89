import { CuenvError } from "@cuenv/errors";

/** Hash functions that cuenv stores and serves; their names are REAPI's, in lowercase. */
export type DigestFunction = "sha256" | "blake3";

export const digestFunctions: readonly DigestFunction[] = ["sha256", "blake3"];

/**
 * The name of a blob (REAPI `Digest`): lowercase hexadecimal hash and size in bytes. The size is part of
 * the identity; together with its function, which the store or message around it knows, it names bytes.
 */
export interface Digest {
  readonly hash: string;
  readonly sizeBytes: number;
}

const hashPattern = /^[0-9a-f]{64}$/;

/** Whether `hash` is a well-formed hash of either function: 64 lowercase hexadecimal digits. */
export function isHash(hash: string): boolean {
  return hashPattern.test(hash);
}

/**
 * @throws {CuenvError} DIGEST_INVALID when the hash is not 64 lowercase hexadecimal digits or the size is
 * not a safe non-negative integer.
 */
export function assertDigest(digest: Digest): void {
  if (!isHash(digest.hash)) {
    throw new CuenvError(
      "DIGEST_INVALID",
      `cannot use digest: malformed hash ${JSON.stringify(digest.hash)}`,
    );
  }
  if (!Number.isSafeInteger(digest.sizeBytes) || digest.sizeBytes < 0) {
    throw new CuenvError(
      "DIGEST_INVALID",
      `cannot use digest ${digest.hash}: size ${digest.sizeBytes}`,
    );
  }
}

export function equalDigests(left: Digest, right: Digest): boolean {
  return left.hash === right.hash && left.sizeBytes === right.sizeBytes;
}

/** `hash/size`, as REAPI resource names write it; a key for maps and the form people read. */
export function formatDigest(digest: Digest): string {
  return `${digest.hash}/${digest.sizeBytes}`;
}

const digestPattern = /^[0-9a-f]{64}\/(?:0|[1-9][0-9]{0,15})$/;

/** The inverse of {@link formatDigest}; undefined when `text` is not of that form. */
export function parseDigest(text: string): Digest | undefined {
  if (!digestPattern.test(text)) return undefined;
  return { hash: text.slice(0, 64), sizeBytes: Number(text.slice(65)) };
}
