import { createHmac, type Hmac, timingSafeEqual } from "node:crypto";

export interface TagInput {
  readonly key: string;
  readonly hash: string;
  /** What the client has as TURBO_TEAMID; empty when it only has a slug. */
  readonly teamId: string;
  /** Of the body. */
  readonly sizeBytes: number;
}

/** Checks the tag of an artifact while its bytes go by. */
export interface TagCheck {
  update(bytes: Uint8Array): void;
  /** After the last byte: whether `tag` (base64) is the artifact's, in either version. */
  matches(tag: string): boolean;
}

const versionTwo = "artifact-signature:v2";

/**
 * HMAC-SHA-256 as turbo signs: since 2.10 over the version's name, hash, team and body, each behind its length (64 bits, little-endian); before,
 * over hash, team and body without lengths.
 */
export function createTagCheck(input: TagInput): TagCheck {
  const { key, hash, teamId, sizeBytes } = input;
  const two = createHmac("sha256", key);
  for (const part of [versionTwo, hash, teamId]) updateWithLength(two, part);
  two.update(lengthOf(sizeBytes));
  const one = createHmac("sha256", key).update(hash).update(teamId);
  return {
    update(bytes) {
      two.update(bytes);
      one.update(bytes);
    },
    matches(tag) {
      const given = Buffer.from(tag, "base64");
      // Both are looked at, always.
      const isTwo = equal(two.digest(), given);
      const isOne = equal(one.digest(), given);
      return isTwo || isOne;
    },
  };
}

function updateWithLength(hmac: Hmac, text: string): void {
  const bytes = Buffer.from(text);
  hmac.update(lengthOf(bytes.length)).update(bytes);
}

function lengthOf(count: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(count));
  return bytes;
}

function equal(left: Buffer, right: Buffer): boolean {
  return left.length === right.length && timingSafeEqual(left, right);
}
