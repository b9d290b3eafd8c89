import {
  assertDigest,
  createHasher,
  type Digest,
  type DigestFunction,
  emptyDigest,
  equalDigests,
  formatDigest,
  hashBytes,
} from "@cuenv/digest";
import { blobCorrupt, blobNotFound, digestMismatch, rangeOf } from "./blob-errors.ts";
import {
  type BlobSource,
  type BlobStore,
  maxSyncReadBytes,
  type ReadOptions,
} from "./blob-store.ts";
import { openSource } from "./read-source.ts";

export interface MemoryBlobStoreOptions {
  readonly digestFunction: DigestFunction;
  /** What all blobs together may take; the least recently used go first. A blob beyond it is taken and forgotten. */
  readonly maxBytes: number;
}

interface Blobs extends MemoryBlobStoreOptions {
  /** By `hash/size`; the order of a Map is the order of use. */
  readonly byName: Map<string, Uint8Array>;
  totalBytes: number;
}

/** Blobs in memory: the tier before the disk, and the whole store where no disk can be written. */
export function createMemoryBlobStore(options: MemoryBlobStoreOptions): BlobStore {
  const blobs: Blobs = { ...options, byName: new Map(), totalBytes: 0 };
  return {
    digestFunction: options.digestFunction,
    missing: async (digests, signal) => {
      signal?.throwIfAborted();
      return missing(blobs, digests);
    },
    read: (digest, readOptions) => read(blobs, digest, readOptions),
    write: async (digest, source, signal) => {
      assertDigest(digest);
      await store(blobs, source, digest, signal);
    },
    ingest: (source, signal) => store(blobs, source, undefined, signal),
    readSync: (digest) => (digest.sizeBytes > maxSyncReadBytes ? undefined : take(blobs, digest)),
  };
}

function missing(blobs: Blobs, digests: readonly Digest[]): readonly Digest[] {
  const byName = new Map(digests.map((digest) => [formatDigest(digest), digest]));
  return [...byName].flatMap(([name, digest]) => {
    assertDigest(digest);
    const present =
      digest.sizeBytes === 0 ? isEmpty(blobs, digest) : use(blobs, name) !== undefined;
    return present ? [] : [digest];
  });
}

function isEmpty(blobs: Blobs, digest: Digest): boolean {
  return equalDigests(digest, emptyDigest(blobs.digestFunction));
}

function use(blobs: Blobs, name: string): Uint8Array | undefined {
  const bytes = blobs.byName.get(name);
  if (bytes === undefined) return undefined;
  blobs.byName.delete(name);
  blobs.byName.set(name, bytes);
  return bytes;
}

function drop(blobs: Blobs, name: string): void {
  blobs.totalBytes -= blobs.byName.get(name)?.length ?? 0;
  blobs.byName.delete(name);
}

/** Verified, because whoever was given the bytes before may have written to them. */
function take(blobs: Blobs, digest: Digest): Uint8Array | undefined {
  assertDigest(digest);
  if (isEmpty(blobs, digest)) return new Uint8Array();
  const bytes = use(blobs, formatDigest(digest));
  if (bytes === undefined) return undefined;
  const found = hashBytes(blobs.digestFunction, bytes);
  if (equalDigests(found, digest)) return bytes;
  drop(blobs, formatDigest(digest));
  throw blobCorrupt(digest, `hash ${found.hash}`);
}

async function* read(
  blobs: Blobs,
  digest: Digest,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  options.signal?.throwIfAborted();
  assertDigest(digest);
  const range = rangeOf(digest, options);
  const bytes = take(blobs, digest);
  if (bytes === undefined) throw blobNotFound(digest);
  if (range.end > range.start) yield bytes.subarray(range.start, range.end);
}

async function store(
  blobs: Blobs,
  source: BlobSource,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  signal?.throwIfAborted();
  const { bytes, digest } = await gather(blobs, source, expected, signal);
  if (expected !== undefined && !equalDigests(expected, digest)) {
    throw digestMismatch(expected, digest);
  }
  if (bytes !== undefined && bytes.length > 0) keep(blobs, formatDigest(digest), bytes);
  return digest;
}

/** Hashes all of a source; the bytes are kept, as a copy, only while they fit. */
async function gather(
  blobs: Blobs,
  source: BlobSource,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Uint8Array | undefined; digest: Digest }> {
  const opened = openSource(source);
  const hasher = createHasher(blobs.digestFunction);
  let chunks: Uint8Array[] | undefined = [];
  let sizeBytes = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await opened.chunks.next();
      if (next.done === true) break;
      hasher.update(next.value);
      sizeBytes += next.value.length;
      chunks?.push(new Uint8Array(next.value));
      if (sizeBytes > blobs.maxBytes) chunks = undefined;
      if (expected !== undefined && sizeBytes > expected.sizeBytes) break;
    }
  } finally {
    await opened.close();
  }
  const digest = { hash: hasher.digestHex(), sizeBytes };
  return { bytes: chunks && Buffer.concat(chunks), digest };
}

function keep(blobs: Blobs, name: string, bytes: Uint8Array): void {
  drop(blobs, name);
  blobs.byName.set(name, bytes);
  blobs.totalBytes += bytes.length;
  for (const oldest of blobs.byName.keys()) {
    if (blobs.totalBytes <= blobs.maxBytes) return;
    drop(blobs, oldest);
  }
}
