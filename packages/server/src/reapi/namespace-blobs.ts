import { type BlobSource, type BufferPool, maxSyncReadBytes, type ReadOptions } from "@cuenv/cas";
import { type Digest, emptyDigest, equalDigests, formatDigest } from "@cuenv/digest";
import { setImmediate } from "node:timers/promises";
import { GrpcError } from "../grpc/grpc-status.ts";
import { createPresenceMemory } from "./presence-memory.ts";
import type { ReapiStores } from "./reapi-options.ts";

/** Looked for at a stretch, each by two system calls: some ten milliseconds. Of all that one message can ask for (90,000) it would be a second. */
const digestsPerTurn = 1024;

/**
 * The blobs of one digest function as callers see them: only those that their namespaces have (blob-members.ts). A build asks for the same blobs again and
 * again; what was found is believed for a moment (presence-memory.ts), in which nothing else than somebody's `rm` or another process's eviction makes it untrue.
 */
export interface NamespaceBlobs {
  readonly stores: ReapiStores;
  /** Those of `digests` that no namespace of `readable` has, each once, in the order given. */
  missing(
    readable: readonly string[],
    digests: readonly Digest[],
    signal?: AbortSignal,
  ): Promise<readonly Digest[]>;
  /** Bytes of a blob; whole ones are verified. @throws {GrpcError} NOT_FOUND; what the store throws */
  read(
    readable: readonly string[],
    digest: Digest,
    options: ReadOptions,
  ): AsyncIterable<Uint8Array>;
  /** A whole blob of at most 2 MiB at once, verified; undefined: it is larger, or is to be read the other way. */
  readSmall(
    readable: readonly string[],
    digest: Digest,
    buffers?: Pick<BufferPool, "take">,
  ): Promise<Uint8Array | undefined>;
  /** Verifies and stores. Whoever stores has shown the bytes: that another namespace has them saves space, not the upload. */
  write(namespace: string, digest: Digest, source: BlobSource, signal?: AbortSignal): Promise<void>;
  /** As `write`, of bytes whose digest is not known. */
  ingest(namespace: string, bytes: Uint8Array, signal?: AbortSignal): Promise<Digest>;
}

export function createNamespaceBlobs(stores: ReapiStores, now: () => number): NamespaceBlobs {
  const { blobs, members } = stores;
  const empty = emptyDigest(blobs.digestFunction);
  const present = createPresenceMemory(now);
  const assertMember = async (readable: readonly string[], digest: Digest): Promise<void> => {
    if (present.absent(readable, [digest]).length === 0) return;
    const [absent] = await members.missing(readable, [digest]);
    if (absent !== undefined) throw new GrpcError("NOT_FOUND", "the blob is not here");
  };
  /** A blob that was gone or damaged must not be called present any longer. */
  const forgetOnFailure = (digest: Digest, error: unknown): unknown => {
    present.delete(digest);
    return error;
  };
  return {
    stores,
    async missing(readable, digests, signal) {
      const asked = distinct(present.absent(readable, digests), empty);
      if (asked.length === 0) return [];
      const unknown = present.unknown(readable, asked);
      const found = new Set<Digest>();
      for (let at = 0; at < unknown.length; at += digestsPerTurn) {
        if (at > 0) await setImmediate();
        const some = unknown.slice(at, at + digestsPerTurn);
        for (const digest of await presentOf(stores, readable, some, signal)) found.add(digest);
      }
      for (const digest of found) present.add(readable, digest);
      if (found.size < unknown.length)
        present.addAbsent(
          readable,
          unknown.filter((digest) => !found.has(digest)),
        );
      return found.size === 0 ? asked : asked.filter((digest) => !found.has(digest));
    },
    async *read(readable, digest, options) {
      if (equalDigests(digest, empty)) return;
      await assertMember(readable, digest);
      try {
        yield* blobs.read(digest, options);
      } catch (error) {
        throw forgetOnFailure(digest, error);
      }
    },
    async readSmall(readable, digest, buffers) {
      if (equalDigests(digest, empty)) return new Uint8Array();
      await assertMember(readable, digest);
      try {
        if (digest.sizeBytes > maxSyncReadBytes) return undefined;
        return blobs.readSync?.(digest, buffers?.take(digest.sizeBytes));
      } catch (error) {
        throw forgetOnFailure(digest, error);
      }
    },
    async write(namespace, digest, source, signal) {
      await blobs.write(digest, source, signal);
      if (equalDigests(digest, empty)) return;
      await members.add(namespace, [digest]);
      present.add([namespace], digest);
    },
    async ingest(namespace, bytes, signal) {
      const digest = await blobs.ingest(bytes, signal);
      if (equalDigests(digest, empty)) return digest;
      await members.add(namespace, [digest]);
      present.add([namespace], digest);
      return digest;
    },
  };
}

async function presentOf(
  { blobs, members }: ReapiStores,
  readable: readonly string[],
  digests: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<readonly Digest[]> {
  const strange = new Set(await members.missing(readable, digests));
  const own = digests.filter((digest) => !strange.has(digest));
  const gone = namesOf(own.length === 0 ? [] : await blobs.missing(own, signal));
  return gone.size === 0 ? own : own.filter((digest) => !gone.has(formatDigest(digest)));
}

/** Each once, without the empty blob, which every store has. */
function distinct(digests: readonly Digest[], empty: Digest): readonly Digest[] {
  const seen = new Map<string, Digest>();
  const others: Digest[] = [];
  for (const digest of digests) {
    const { hash } = digest;
    const same = seen.get(hash);
    if (same === undefined) seen.set(hash, digest);
    // One hash with several sizes: at most one of them is a blob.
    else if (equalDigests(same, digest) || others.some((other) => equalDigests(other, digest)))
      continue;
    else others.push(digest);
  }
  const first = seen.get(empty.hash);
  if (first !== undefined && equalDigests(first, empty)) seen.delete(empty.hash);
  return [...seen.values(), ...others.filter((digest) => !equalDigests(digest, empty))];
}

function namesOf(digests: readonly Digest[]): ReadonlySet<string> {
  return new Set(digests.map(formatDigest));
}
