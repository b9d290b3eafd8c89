import { type Digest, formatDigest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { RemoteError } from "./remote-error.ts";

/** What a store fails with, of how a call failed. A caller's own abort stays what it is, and so does what is not the remote's doing. */
export function blobFailure(
  error: unknown,
  verb: "read" | "write" | "find",
  digest: Digest | undefined,
  signal?: AbortSignal,
): unknown {
  if (signal?.aborted === true) return signal.reason;
  if (!(error instanceof RemoteError)) return error;
  if (error.status === "NOT_FOUND" && digest !== undefined) return blobNotFound(digest);
  const what = digest === undefined ? "blobs" : `blob ${formatDigest(digest)}`;
  return new CuenvError(
    "CAS_STORE_UNAVAILABLE",
    `cannot ${verb} ${what} in the remote cache: ${error.message}`,
    { cause: error },
  );
}

export function blobNotFound(digest: Digest): CuenvError {
  return new CuenvError(
    "CAS_BLOB_NOT_FOUND",
    `cannot read blob ${formatDigest(digest)}: the remote cache does not have it`,
  );
}

export function blobCorrupt(digest: Digest, found: string): CuenvError {
  return new CuenvError(
    "CAS_BLOB_CORRUPT",
    `cannot read blob ${formatDigest(digest)}: the remote cache gave other bytes (${found})`,
    { hint: "Nothing of it was used. Its operator should look for damage." },
  );
}

export function digestMismatch(expected: Digest, found: Digest): CuenvError {
  return new CuenvError(
    "CAS_DIGEST_MISMATCH",
    `cannot store blob ${formatDigest(expected)}: the bytes given are ${formatDigest(found)}`,
  );
}
