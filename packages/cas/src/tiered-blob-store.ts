import { assertDigest, type Digest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { blobNotFound, rangeOf } from "./blob-errors.ts";
import type { BlobSource, BlobStore, ReadOptions } from "./blob-store.ts";
import { errorCode } from "./system-error.ts";

export interface TieredBlobStoreOptions {
  /** Nearest first; all of one digest function. */
  readonly tiers: readonly [BlobStore, ...BlobStore[]];
  /** A tier failed and another one did its work: for a warning. */
  readonly onTierFailure?: (tier: BlobStore, error: unknown) => void;
}

/**
 * Several stores as one. A read asks them in order, and what a later one has is written back to the earlier ones, verified. A write goes
 * to all of them and succeeds when one of them took it: so a memory tier goes on where the disk is full. A blob is missing when no tier has it.
 */
export function createTieredBlobStore(options: TieredBlobStoreOptions): BlobStore {
  const { tiers, onTierFailure } = options;
  const [first] = tiers;
  if (tiers.some((tier) => tier.digestFunction !== first.digestFunction)) {
    throw new CuenvError("INTERNAL", "cannot join stores: their digest functions differ");
  }
  const fail: Fail = (tier, error) => onTierFailure?.(tier, error);
  return {
    digestFunction: first.digestFunction,
    missing: (digests, signal) => missing(tiers, digests, fail, signal),
    read: (digest, readOptions) => read(tiers, digest, fail, readOptions),
    write: (digest, source, signal) => write(tiers, digest, source, fail, signal),
    ingest: (source, signal) => ingest(tiers, source, fail, signal),
    readSync: (digest, into) => readSync(tiers, digest, into, fail),
    localPath: (digest) => {
      for (const tier of tiers) {
        const path = attempt(() => tier.localPath?.(digest), tier, fail);
        if (path !== undefined) return path;
      }
      return undefined;
    },
    flush: async (signal) => {
      for (const tier of tiers) await tier.flush?.(signal);
    },
  };
}

type Fail = (tier: BlobStore, error: unknown) => void;
type Tiers = readonly BlobStore[];

/** Failures that another tier may make good. */
function isTierFailure(error: unknown): boolean {
  const code = errorCode(error);
  return (
    code === "CAS_STORE_UNAVAILABLE" || code === "CAS_BLOB_CORRUPT" || code === "CAS_BLOB_NOT_FOUND"
  );
}

function attempt<Value>(step: () => Value, tier: BlobStore, fail: Fail): Value | undefined {
  try {
    return step();
  } catch (error) {
    if (!isTierFailure(error)) throw error;
    fail(tier, error);
    return undefined;
  }
}

async function missing(
  tiers: Tiers,
  digests: readonly Digest[],
  fail: Fail,
  signal?: AbortSignal,
): Promise<readonly Digest[]> {
  let absent = digests;
  let failure: unknown;
  let asked = 0;
  for (const tier of tiers) {
    try {
      absent = await tier.missing(absent, signal);
      asked += 1;
    } catch (error) {
      if (!isTierFailure(error)) throw error;
      failure = error;
      fail(tier, error);
    }
    if (asked > 0 && absent.length === 0) return absent;
  }
  if (asked === 0) throw failure;
  return absent;
}

function readSync(
  tiers: Tiers,
  digest: Digest,
  into: Buffer | undefined,
  fail: Fail,
): Uint8Array | undefined {
  for (const [position, tier] of tiers.entries()) {
    // What is written back to the tiers before it must not be overwritten meanwhile.
    const target = position === 0 ? into : undefined;
    const bytes = attempt(() => tier.readSync?.(digest, target), tier, fail);
    if (bytes === undefined) continue;
    writeBack(tiers.slice(0, position), digest, bytes, fail);
    return bytes;
  }
  return undefined;
}

/** In the background: nobody waits for it, and nothing depends on it. */
function writeBack(tiers: Tiers, digest: Digest, bytes: Uint8Array, fail: Fail): void {
  for (const tier of tiers) {
    tier.write(digest, bytes).catch((error: unknown) => fail(tier, error));
  }
}

async function* read(
  tiers: Tiers,
  digest: Digest,
  fail: Fail,
  options: ReadOptions = {},
): AsyncGenerator<Uint8Array> {
  assertDigest(digest);
  const range = rangeOf(digest, options);
  let failure: unknown;
  for (const [position, tier] of tiers.entries()) {
    const earlier = range.whole ? tiers.slice(0, position) : [];
    let delivered = 0;
    try {
      const source = await nearer(earlier, tier, digest, fail, options.signal);
      for await (const chunk of source.read(digest, options)) {
        delivered += chunk.length;
        yield chunk;
      }
      return;
    } catch (error) {
      // What was delivered cannot be called back: only a tier that failed before its first byte is passed over.
      if (!isTierFailure(error) || delivered > 0) throw error;
      if (errorCode(error) !== "CAS_BLOB_NOT_FOUND") {
        failure = error;
        fail(tier, error);
      }
    }
  }
  throw failure ?? blobNotFound(digest);
}

/** Copies a blob to the tiers before `tier`, and gives the nearest one that has it then. A tier that does not have it is given itself. */
async function nearer(
  earlier: Tiers,
  tier: BlobStore,
  digest: Digest,
  fail: Fail,
  signal: AbortSignal | undefined,
): Promise<BlobStore> {
  if (earlier.length === 0 || (await tier.missing([digest], signal)).length > 0) return tier;
  let nearest = tier;
  for (const other of earlier.toReversed()) {
    try {
      await other.write(
        digest,
        nearest.read(digest, signal === undefined ? {} : { signal }),
        signal,
      );
      // A memory tier takes a blob that is too large for it, and forgets it.
      if ((await other.missing([digest], signal)).length === 0) nearest = other;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      fail(other, error);
    }
  }
  return nearest;
}

async function write(
  tiers: Tiers,
  digest: Digest,
  source: BlobSource,
  fail: Fail,
  signal?: AbortSignal,
): Promise<void> {
  if (isOnce(source)) {
    const take = async (tier: BlobStore, stream: BlobSource): Promise<Digest> => {
      await tier.write(digest, stream, signal);
      return digest;
    };
    await spread(tiers, source, fail, take, signal);
    return;
  }
  await everyTier(tiers, fail, (tier) => tier.write(digest, source, signal));
}

async function ingest(
  tiers: Tiers,
  source: BlobSource,
  fail: Fail,
  signal?: AbortSignal,
): Promise<Digest> {
  return spread(tiers, source, fail, (tier, from) => tier.ingest(from, signal), signal);
}

function isOnce(source: BlobSource): source is AsyncIterable<Uint8Array> {
  return !(source instanceof Uint8Array) && !("path" in source);
}

async function everyTier(
  tiers: Tiers,
  fail: Fail,
  step: (tier: BlobStore) => Promise<void>,
): Promise<void> {
  let failure: unknown;
  let succeeded = false;
  for (const tier of tiers) {
    try {
      await step(tier);
      succeeded = true;
    } catch (error) {
      if (errorCode(error) !== "CAS_STORE_UNAVAILABLE") throw error;
      failure = error;
      fail(tier, error);
    }
  }
  if (!succeeded) throw failure;
}

/**
 * The last tier is the lasting one: it takes the source, the others take it from there. When it fails the one before it has to; but not a stream of
 * which bytes are gone already: what is left of it would be another blob.
 */
async function spread(
  tiers: Tiers,
  source: BlobSource,
  fail: Fail,
  take: (tier: BlobStore, source: BlobSource) => Promise<Digest>,
  signal?: AbortSignal,
): Promise<Digest> {
  const once = isOnce(source) ? watched(source) : undefined;
  let failure: unknown;
  for (const [distance, tier] of tiers.toReversed().entries()) {
    let digest: Digest;
    try {
      digest = await take(tier, once?.source ?? source);
    } catch (error) {
      if (errorCode(error) !== "CAS_STORE_UNAVAILABLE" || once?.isBegun() === true) throw error;
      failure = error;
      fail(tier, error);
      continue;
    }
    for (const other of tiers.slice(0, tiers.length - 1 - distance)) {
      const again = once === undefined ? source : tier.read(digest);
      await other.write(digest, again, signal).catch((error: unknown) => fail(other, error));
    }
    return digest;
  }
  throw failure;
}

/** A stream that tells whether somebody began to read it. */
function watched(source: AsyncIterable<Uint8Array>): {
  source: AsyncIterable<Uint8Array>;
  isBegun: () => boolean;
} {
  let begun = false;
  const begin = async function* (): AsyncGenerator<Uint8Array> {
    begun = true;
    yield* source;
  };
  return { source: { [Symbol.asyncIterator]: begin }, isBegun: () => begun };
}
