import { assertDigest, type Digest, type DigestFunction, formatDigest } from "@cuenv/digest";
import { blobNotFound, rangeOf } from "./blob-errors.ts";
import { type BlobStore, maxSyncReadBytes, type ReadOptions } from "./blob-store.ts";
import type { CacheFolder } from "./cache-folder.ts";
import {
  type DiskBlobs,
  hasBlob,
  isEmptyBlob,
  openBlob,
  readBlobSync,
  streamBlob,
} from "./disk-blobs.ts";
import { blobPath } from "./disk-layout.ts";
import { storeUnavailable } from "./system-error.ts";
import { writeBlob } from "./write-blob.ts";

export interface DiskBlobStoreOptions {
  readonly folder: CacheFolder;
  readonly digestFunction: DigestFunction;
}

/**
 * Blobs as files named by their hash (disk-layout.ts). Calls work synchronously on the disk, in pieces of at most
 * 1 MiB for larger blobs: measured 3 to 10 times faster than promises for the small files that outputs are.
 */
export function createDiskBlobStore(options: DiskBlobStoreOptions): BlobStore {
  const blobs: DiskBlobs = { ...options, corrupt: new Set() };
  const { folder, digestFunction } = options;
  const { root, readOnly, touchIntervalMs } = folder;
  return {
    digestFunction,
    openedFrom: { root, digestFunction, readOnly, touchIntervalMs },
    missing: (digests, signal) => promised(() => missing(blobs, digests, signal)),
    read: (digest, readOptions) => read(blobs, digest, readOptions),
    write: async (digest, source, signal) => {
      assertDigest(digest);
      await writeBlob(blobs, source, digest, signal);
    },
    ingest: (source, signal) => writeBlob(blobs, source, undefined, signal),
    readSync: (digest, into) => readSync(blobs, digest, into),
    localPath: (digest) => localPath(blobs, digest),
    flush: () => flush(blobs),
  };
}

/** A synchronous step whose exception is a rejection. */
function promised<Value>(step: () => Value): Promise<Value> {
  try {
    return Promise.resolve(step());
  } catch (error) {
    return Promise.reject(error);
  }
}

function missing(
  blobs: DiskBlobs,
  digests: readonly Digest[],
  signal?: AbortSignal,
): readonly Digest[] {
  blobs.folder.assertReadable();
  const seen = new Set<string>();
  const absent: Digest[] = [];
  for (const digest of digests) {
    signal?.throwIfAborted();
    assertDigest(digest);
    const name = formatDigest(digest);
    if (seen.has(name)) continue;
    seen.add(name);
    if (!isEmptyBlob(blobs, digest) && !hasBlob(blobs, digest)) absent.push(digest);
  }
  return absent;
}

function readSync(
  blobs: DiskBlobs,
  digest: Digest,
  into: Buffer | undefined,
): Uint8Array | undefined {
  assertDigest(digest);
  if (isEmptyBlob(blobs, digest)) return new Uint8Array();
  if (digest.sizeBytes > maxSyncReadBytes) return undefined;
  blobs.folder.assertReadable();
  const opened = openBlob(blobs, digest);
  return opened && readBlobSync(blobs, digest, opened, into);
}

async function* read(
  blobs: DiskBlobs,
  digest: Digest,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  assertDigest(digest);
  options.signal?.throwIfAborted();
  const range = rangeOf(digest, options);
  if (isEmptyBlob(blobs, digest)) return;
  blobs.folder.assertReadable();
  const opened = openBlob(blobs, digest);
  if (opened === undefined) throw blobNotFound(digest);
  if (range.whole && digest.sizeBytes <= maxSyncReadBytes) {
    yield readBlobSync(blobs, digest, opened, options.buffers?.take(digest.sizeBytes));
    return;
  }
  yield* streamBlob(blobs, digest, opened, range, options);
}

function localPath(blobs: DiskBlobs, digest: Digest): string | undefined {
  if (isEmptyBlob(blobs, digest)) return undefined;
  blobs.folder.assertReadable();
  return hasBlob(blobs, digest)
    ? blobPath(blobs.folder.root, blobs.digestFunction, digest.hash)
    : undefined;
}

async function flush(blobs: DiskBlobs): Promise<void> {
  try {
    await blobs.folder.barrier();
  } catch (error) {
    throw storeUnavailable("make blobs durable", error, "CAS_STORE_UNAVAILABLE");
  }
}
