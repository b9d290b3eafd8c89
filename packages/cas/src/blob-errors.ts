import type { Digest } from "@cuenv/digest";
import { formatDigest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { ReadOptions } from "./blob-store.ts";

export function blobNotFound(digest: Digest): CuenvError {
  return new CuenvError(
    "CAS_BLOB_NOT_FOUND",
    `cannot read blob ${formatDigest(digest)}: it is not in the store`,
  );
}

export function blobCorrupt(digest: Digest, found: string): CuenvError {
  return new CuenvError(
    "CAS_BLOB_CORRUPT",
    `cannot read blob ${formatDigest(digest)}: the store holds other bytes (${found})`,
    {
      hint: "It counts as missing now and will be made again. `cuenv cache verify` looks for more.",
    },
  );
}

export function digestMismatch(expected: Digest, found: Digest): CuenvError {
  return new CuenvError(
    "CAS_DIGEST_MISMATCH",
    `cannot store blob ${formatDigest(expected)}: the bytes given are ${formatDigest(found)}`,
  );
}

/** Which bytes of a blob are asked for. */
export interface Range {
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly whole: boolean;
}

/** @throws {CuenvError} CAS_RANGE_INVALID */
export function rangeOf(digest: Digest, options: ReadOptions): Range {
  const { offset = 0, length = digest.sizeBytes } = options;
  const isCount = (count: number): boolean => Number.isSafeInteger(count) && count >= 0;
  if (!isCount(offset) || !isCount(length) || offset > digest.sizeBytes) {
    throw new CuenvError(
      "CAS_RANGE_INVALID",
      `cannot read ${length} bytes at ${offset} of blob ${formatDigest(digest)}: not a range of it`,
    );
  }
  const end = Math.min(digest.sizeBytes, offset + length);
  return { start: offset, end, whole: offset === 0 && end === digest.sizeBytes };
}
