import type { Digest, DigestFunction } from "@cuenv/digest";
import type { BufferPool } from "./buffer-pool.ts";

/**
 * Where the bytes of a blob come from. A path is read as it is now, and hashed while it is read. A chunk of a stream must not be
 * written to once it was given.
 */
export type BlobSource = Uint8Array | AsyncIterable<Uint8Array> | { readonly path: string };

export interface ReadOptions {
  /** First byte, default 0. Beyond the end: CAS_RANGE_INVALID. */
  readonly offset?: number;
  /** How many bytes at the most, default all. */
  readonly length?: number;
  /** Where chunks may be put, by who gives buffers back when a chunk was used up. Stores may give their own all the same. */
  readonly buffers?: Pick<BufferPool, "take">;
  readonly signal?: AbortSignal;
}

/** What a disk store is opened with. */
export interface DiskStorePlace {
  /** Of the cache folder, absolute. */
  readonly root: string;
  readonly digestFunction: DigestFunction;
  readonly readOnly: boolean;
  readonly touchIntervalMs: number;
}

/**
 * A content-addressed store of blobs. This comment is the contract; `@cuenv/cas/contract` runs it.
 *
 * - A blob that was written is found under its digest, or is gone (evicted, deleted by anyone); it is never
 *   different bytes. A store that keeps bytes itself re-hashes them on the way out: a read of a whole blob that
 *   does not match fails with CAS_BLOB_CORRUPT, before its last chunk is delivered, and the blob counts as missing from then on.
 * - All calls may run concurrently, in one process and in many. Writing the same blob twice is harmless, and heals
 *   a corrupt one.
 * - The empty blob is always present, is never stored, and can be read from every store.
 * - `missing` and `read` count as use for eviction.
 * - Errors: CAS_BLOB_NOT_FOUND (absent), CAS_BLOB_CORRUPT (present and wrong), CAS_DIGEST_MISMATCH (the bytes
 *   given to `write` are not those of the digest; nothing is stored), CAS_RANGE_INVALID, CAS_STORE_UNAVAILABLE
 *   (the store cannot work now: full disk, read-only, no permission; `cause` has the system's error).
 *   Absence is permanent until somebody writes; UNAVAILABLE may pass.
 */
export interface BlobStore {
  readonly digestFunction: DigestFunction;
  /** Those of `digests` that the store does not have, each once, in the order given. */
  missing(digests: readonly Digest[], signal?: AbortSignal): Promise<readonly Digest[]>;
  read(digest: Digest, options?: ReadOptions): AsyncIterable<Uint8Array>;
  /** Stores bytes whose digest is known; they are hashed on the way in. */
  write(digest: Digest, source: BlobSource, signal?: AbortSignal): Promise<void>;
  /** Stores bytes whose digest is not known yet. */
  ingest(source: BlobSource, signal?: AbortSignal): Promise<Digest>;
  /**
   * The whole blob at once, verified, when that is possible without waiting (local disk, memory) and it is at most
   * {@link maxSyncReadBytes} long; undefined otherwise, and when it is absent. The fast path of a restore.
   * With `into`, the bytes may be a view of it; a store never keeps it, nor hands it to another that does.
   * @throws {CuenvError} CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE
   */
  readSync?(digest: Digest, into?: Buffer): Uint8Array | undefined;
  /** A path at which the bytes can be read but must not be changed or linked; undefined when there is none. Not verified. */
  localPath?(digest: Digest): string | undefined;
  /** Where another thread of this process can read the same blobs; for what it does not find there, this store is asked. */
  readonly openedFrom?: DiskStorePlace;
  /**
   * The barrier before an entry that names the blobs is stored: returns when all that was written is as durable as the
   * store's policy says. @throws {CuenvError} CAS_STORE_UNAVAILABLE
   */
  flush?(signal?: AbortSignal): Promise<void>;
}

/** Blobs up to this size are read and written in one call (2 MiB). */
export const maxSyncReadBytes: number = 2 * 1024 * 1024;
