import type { BlobSource } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import type { ActionCache, Lookup, LookupOptions } from "./action-cache.ts";
import { CuenvError } from "@cuenv/errors";
import type { TaskResult } from "./task-result.ts";

/*
 * The operations under the names that the readers of cuenv's first design look for: what its remote cache did, over any pair of stores.
 */

/** Whether there is a usable result with all of its blobs. */
export async function hasActionResult(
  cache: ActionCache,
  key: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  const options = signal === undefined ? {} : { signal };
  return (await cache.get(key, { ...options, complete: true })).kind === "hit";
}

export function getActionResult(
  cache: ActionCache,
  key: Digest,
  options?: LookupOptions,
): Promise<Lookup> {
  return cache.get(key, options);
}

/** The blobs of the result must be stored already. @throws {CuenvError} AC_STORE_UNAVAILABLE, CAS_STORE_UNAVAILABLE */
export async function uploadActionResult(
  cache: ActionCache,
  result: TaskResult,
  signal?: AbortSignal,
): Promise<void> {
  await cache.put(result, undefined, signal);
}

export async function hasContent(
  cache: ActionCache,
  digest: Digest,
  signal?: AbortSignal,
): Promise<boolean> {
  return (await cache.blobs.missing([digest], signal)).length === 0;
}

/** Content up to this size is given as one piece (64 MiB). */
export const maxContentBytes: number = 64 * 1024 * 1024;

/**
 * A whole blob, verified. Larger ones are read as a stream, `cache.blobs.read`.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; CAS_RANGE_INVALID above {@link maxContentBytes}.
 */
export async function getContent(
  cache: ActionCache,
  digest: Digest,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  if (digest.sizeBytes > maxContentBytes) {
    throw new CuenvError(
      "CAS_RANGE_INVALID",
      `cannot read blob ${digest.hash} as one piece: ${digest.sizeBytes} bytes are more than ${maxContentBytes}`,
      { hint: "Read it as a stream." },
    );
  }
  const bytes = cache.blobs.readSync?.(digest);
  if (bytes !== undefined) return bytes;
  const chunks: Uint8Array[] = [];
  for await (const chunk of cache.blobs.read(digest, signal === undefined ? {} : { signal })) {
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function uploadContent(
  cache: ActionCache,
  source: BlobSource,
  signal?: AbortSignal,
): Promise<Digest> {
  return cache.blobs.ingest(source, signal);
}
