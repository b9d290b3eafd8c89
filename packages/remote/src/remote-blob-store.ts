import { type BlobSource, type BlobStore, maxSyncReadBytes, type ReadOptions } from "@cuenv/cas";
import {
  assertDigest,
  type Digest,
  emptyDigest,
  equalDigests,
  formatDigest,
  hashBytes,
} from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { type BatchedBlobs, createBatchedBlobs } from "./batched-blobs.ts";
import { blobFailure, blobNotFound, digestMismatch } from "./blob-failure.ts";
import { findMissing } from "./find-missing.ts";
import { readStream } from "./read-stream.ts";
import type { RemoteConnection } from "./remote-connection.ts";
import { spooled } from "./spooled-source.ts";
import { withAbort } from "./with-abort.ts";
import { writeStream } from "./write-stream.ts";

/**
 * The blobs of one namespace of a remote cache. Small ones travel in batches, of what is asked for in one turn; large ones as streams, which go on where
 * they broke off. What comes is hashed on the way. Equal transfers at the same time are one.
 */
export function createRemoteBlobStore(connection: RemoteConnection): BlobStore {
  const { digestFunction } = connection;
  const empty = emptyDigest(digestFunction);
  const batches = createBatchedBlobs(connection);
  const writing = new Map<string, Promise<void>>();
  const isEmpty = (digest: Digest): boolean => equalDigests(digest, empty);
  const write = async (digest: Digest, source: BlobSource, signal?: AbortSignal): Promise<void> => {
    const { maxBatchBytes, maxBlobBytes } = await negotiated(connection, "write", digest, signal);
    if (digest.sizeBytes > maxBlobBytes) throw tooLarge(digest, maxBlobBytes);
    if (source instanceof Uint8Array && digest.sizeBytes <= maxBatchBytes)
      // Others are in the same batch: who goes leaves it to them.
      await withAbort(batches.write(digest, source), signal);
    else await writeStream(connection, digest, source, signal);
  };
  return {
    digestFunction,
    async missing(digests, signal) {
      signal?.throwIfAborted();
      for (const digest of digests) assertDigest(digest);
      const asked = distinct(digests).filter((digest) => !isEmpty(digest));
      return asked.length === 0 ? [] : findMissing(connection, asked, signal);
    },
    read: (digest, options) => read(connection, batches, digest, options),
    async write(digest, source, signal) {
      assertDigest(digest);
      signal?.throwIfAborted();
      if (source instanceof Uint8Array) assertBytes(connection, digest, source);
      if (isEmpty(digest)) return;
      const name = formatDigest(digest);
      const same = writing.get(name);
      // Only who sends the same bytes may share: another source may fail, or be of other bytes.
      if (same !== undefined && source instanceof Uint8Array && (await isDone(same, signal)))
        return;
      const written = write(digest, source, signal);
      writing.set(name, written);
      try {
        await written;
      } finally {
        if (writing.get(name) === written) writing.delete(name);
      }
    },
    async ingest(source, signal) {
      signal?.throwIfAborted();
      const local = await spooled(source, digestFunction, maxSyncReadBytes, signal);
      try {
        const { digest, source: repeatable } = local;
        if (!isEmpty(digest)) await write(digest, repeatable, signal);
        return digest;
      } finally {
        local.dispose();
      }
    },
  };
}

/** Whether another's transfer of the same blob did it. False: it was called off, or its source failed, which says nothing of our bytes. @throws as `write` */
async function isDone(same: Promise<void>, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    await withAbort(same, signal);
    return true;
  } catch (error) {
    const isRemote = error instanceof CuenvError && error.code === "CAS_STORE_UNAVAILABLE";
    if (isRemote || signal?.aborted === true) throw error;
    return false;
  }
}

async function negotiated(
  connection: RemoteConnection,
  verb: "read" | "write",
  digest: Digest,
  signal: AbortSignal | undefined,
) {
  try {
    return await connection.capabilities(signal);
  } catch (error) {
    throw blobFailure(error, verb, digest, signal);
  }
}

function distinct(digests: readonly Digest[]): readonly Digest[] {
  return [...new Map(digests.map((digest) => [formatDigest(digest), digest])).values()];
}

/** A mistake of ours is found before it travels. */
function assertBytes(
  { digestFunction }: RemoteConnection,
  digest: Digest,
  bytes: Uint8Array,
): void {
  const found = hashBytes(digestFunction, bytes);
  if (!equalDigests(found, digest)) throw digestMismatch(digest, found);
}

function tooLarge(digest: Digest, maxBytes: number): CuenvError {
  return new CuenvError(
    "CAS_STORE_UNAVAILABLE",
    `cannot store blob ${digest.hash}: the remote cache takes no more than ${maxBytes} bytes, and it has ${digest.sizeBytes}`,
  );
}

async function* read(
  connection: RemoteConnection,
  batches: BatchedBlobs,
  digest: Digest,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  assertDigest(digest);
  const { signal, offset = 0, length = digest.sizeBytes } = options;
  signal?.throwIfAborted();
  const isCount = (count: number): boolean => Number.isSafeInteger(count) && count >= 0;
  if (!isCount(offset) || !isCount(length) || offset > digest.sizeBytes)
    throw new CuenvError(
      "CAS_RANGE_INVALID",
      `cannot read ${length} bytes at ${offset} of blob ${formatDigest(digest)}: not a range of it`,
    );
  if (equalDigests(digest, emptyDigest(connection.digestFunction))) return;
  if (digest.sizeBytes === 0) throw blobNotFound(digest);
  const end = Math.min(digest.sizeBytes, offset + length);
  const { maxBatchBytes } = await negotiated(connection, "read", digest, signal);
  if (digest.sizeBytes <= maxBatchBytes) {
    const bytes = await withAbort(batches.read(digest), signal);
    if (end > offset) yield bytes.subarray(offset, end);
  } else yield* readStream(connection, digest, { start: offset, end }, signal);
}
