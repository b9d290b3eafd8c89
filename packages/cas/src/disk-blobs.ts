import {
  createHasher,
  type Digest,
  type DigestFunction,
  emptyDigest,
  equalDigests,
  hashBytes,
  isAbsence,
  isRefused,
  ownFileReadFlags,
  readPiece,
} from "@cuenv/digest";
import { closeSync, fstatSync, lstatSync, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { blobCorrupt, blobNotFound, type Range } from "./blob-errors.ts";
import type { ReadOptions } from "./blob-store.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { blobPath } from "./disk-layout.ts";
import { storeUnavailable } from "./system-error.ts";
import { piecesPerTurn } from "./take-turns.ts";

/** Large blobs go in pieces of this size (1 MiB). */
export const chunkBytes: number = 1024 * 1024;

/** The state of a disk blob store in this process. */
export interface DiskBlobs {
  readonly folder: CacheFolder;
  readonly digestFunction: DigestFunction;
  /** Hashes found damaged that could not be moved away, or that could not be opened: they count as missing. */
  readonly corrupt: Set<string>;
}

/** A blob's file, open; whoever takes it closes it. */
export interface OpenBlob {
  readonly file: number;
  readonly path: string;
  readonly sizeBytes: number;
}

export function isEmptyBlob(blobs: DiskBlobs, digest: Digest): boolean {
  return digest.sizeBytes === 0 && equalDigests(digest, emptyDigest(blobs.digestFunction));
}

/** By name and size; the bytes are looked at when they are read. */
export function hasBlob(blobs: DiskBlobs, digest: Digest): boolean {
  if (blobs.corrupt.has(digest.hash)) return false;
  const path = blobPath(blobs.folder.root, blobs.digestFunction, digest.hash);
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size !== digest.sizeBytes) return false;
    blobs.folder.touch(path, stat.mtimeMs);
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw storeUnavailable(`look for blob ${digest.hash}`, error, "CAS_STORE_UNAVAILABLE");
  }
}

function unavailable(digest: Digest, error: unknown): Error {
  return storeUnavailable(`read blob ${digest.hash}`, error, "CAS_STORE_UNAVAILABLE");
}

/** Undefined when there is none. A file of another size than the digest's is opened all the same, see {@link wrongSize}. */
export function openBlob(blobs: DiskBlobs, digest: Digest): OpenBlob | undefined {
  if (blobs.corrupt.has(digest.hash)) return undefined;
  const path = blobPath(blobs.folder.root, blobs.digestFunction, digest.hash);
  let file: number;
  try {
    file = openSync(path, ownFileReadFlags);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    // Another user's, or without permissions: counted as missing from now on, it is written anew with the result that needs it.
    if (isRefused(error)) blobs.corrupt.add(digest.hash);
    throw unavailable(digest, error);
  }
  try {
    const stat = fstatSync(file);
    if (stat.isFile()) {
      blobs.folder.touch(path, stat.mtimeMs);
      return { file, path, sizeBytes: stat.size };
    }
  } catch (error) {
    closeSync(file);
    throw unavailable(digest, error);
  }
  closeSync(file);
  return undefined;
}

function condemn(blobs: DiskBlobs, digest: Digest, path: string): void {
  blobs.corrupt.add(digest.hash);
  blobs.folder.quarantine(path);
}

/**
 * The sizes differ: either the blob was cut or grew, or somebody asks for its hash with a wrong size, which must not cost us a sound blob.
 */
function wrongSize(blobs: DiskBlobs, digest: Digest, blob: OpenBlob): Error {
  const hasher = createHasher(blobs.digestFunction);
  const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, blob.sizeBytes));
  let position = 0;
  for (;;) {
    const count = readSync(blob.file, buffer, 0, buffer.length, position);
    if (count === 0) break;
    hasher.update(buffer.subarray(0, count));
    position += count;
  }
  if (hasher.digestHex() === digest.hash) return blobNotFound(digest);
  condemn(blobs, digest, blob.path);
  return blobCorrupt(digest, `${blob.sizeBytes} bytes`);
}

/** The whole blob, verified. Closes the file. */
export function readBlobSync(
  blobs: DiskBlobs,
  digest: Digest,
  blob: OpenBlob,
  into?: Buffer,
): Uint8Array {
  try {
    if (blob.sizeBytes !== digest.sizeBytes) throw wrongSize(blobs, digest, blob);
    const bytes = readPiece(blob.file, 0, blob.sizeBytes, into);
    const found = hashBytes(blobs.digestFunction, bytes);
    if (equalDigests(found, digest)) return bytes;
    condemn(blobs, digest, blob.path);
    throw blobCorrupt(digest, `hash ${found.hash}`);
  } catch (error) {
    throw isSystemError(error) ? unavailable(digest, error) : error;
  } finally {
    closeSync(blob.file);
  }
}

/** Whether the blob's bytes are those of the digest; a damaged one is moved away. Closes the file. */
export function verifyBlob(blobs: DiskBlobs, digest: Digest, blob: OpenBlob): boolean {
  try {
    if (blob.sizeBytes !== digest.sizeBytes) return false;
    const hasher = createHasher(blobs.digestFunction);
    for (let position = 0; position < blob.sizeBytes; position += chunkBytes) {
      hasher.update(
        readPiece(blob.file, position, Math.min(blob.sizeBytes, position + chunkBytes)),
      );
    }
    if (hasher.digestHex() === digest.hash) return true;
    condemn(blobs, digest, blob.path);
    return false;
  } catch {
    // It cannot be read: writing it anew is the only way to heal it.
    return false;
  } finally {
    closeSync(blob.file);
  }
}

/**
 * A range in pieces. When it is the whole blob its hash is checked before the last piece is delivered. Closes the file.
 */
export async function* streamBlob(
  blobs: DiskBlobs,
  digest: Digest,
  blob: OpenBlob,
  range: Range,
  { signal, buffers }: Pick<ReadOptions, "signal" | "buffers">,
): AsyncGenerator<Uint8Array> {
  try {
    if (blob.sizeBytes !== digest.sizeBytes) throw wrongSize(blobs, digest, blob);
    const hasher = range.whole ? createHasher(blobs.digestFunction) : undefined;
    let turns = 0;
    for (let position = range.start; position < range.end;) {
      const end = Math.min(range.end, position + chunkBytes);
      const bytes = readPiece(blob.file, position, end, buffers?.take(end - position));
      position += bytes.length;
      hasher?.update(bytes);
      const cut = bytes.length === 0;
      if (
        cut ||
        (position === range.end && hasher !== undefined && hasher.digestHex() !== digest.hash)
      ) {
        condemn(blobs, digest, blob.path);
        throw blobCorrupt(digest, cut ? `${position} bytes` : "another hash");
      }
      yield bytes;
      signal?.throwIfAborted();
      turns += 1;
      if (turns % piecesPerTurn === 0) await setImmediate();
    }
  } catch (error) {
    throw isSystemError(error) ? unavailable(digest, error) : error;
  } finally {
    closeSync(blob.file);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
