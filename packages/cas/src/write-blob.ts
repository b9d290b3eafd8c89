import { createHasher, type Digest, equalDigests, hashBytes, isRefused } from "@cuenv/digest";
import { ftruncateSync } from "node:fs";
import { writeFully, writeSparsely } from "./atomic-write.ts";
import { digestMismatch } from "./blob-errors.ts";
import type { BlobSource } from "./blob-store.ts";
import {
  type DiskBlobs,
  hasBlob,
  isEmptyBlob,
  type OpenBlob,
  openBlob,
  verifyBlob,
} from "./disk-blobs.ts";
import { blobPath } from "./disk-layout.ts";
import type { TemporaryFile } from "./folder-files.ts";
import { openSource, readSmallFile, readSource } from "./read-source.ts";
import { storeUnavailable } from "./system-error.ts";

/**
 * Hashes a source on its way into the store. Nothing is stored when the bytes are not those of `expected`.
 * @throws {CuenvError} CAS_DIGEST_MISMATCH, CAS_STORE_UNAVAILABLE; whatever the source fails with; the signal's reason.
 */
export async function writeBlob(
  blobs: DiskBlobs,
  source: BlobSource,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  signal?.throwIfAborted();
  if (expected === undefined || !isEmptyBlob(blobs, expected)) blobs.folder.assertWritable();
  const small = "path" in source ? readSmallFile(source.path) : undefined;
  if (small !== undefined) return writeBytes(blobs, small, expected);
  const opened = openSource(source);
  try {
    const content = await readSource(opened, expected, signal);
    try {
      return content.complete
        ? writeBytes(blobs, content.bytes, expected)
        : await writeStream(blobs, content.chunks, expected, signal);
    } finally {
      content.release();
    }
  } finally {
    await opened.close();
  }
}

function assertExpected(expected: Digest | undefined, found: Digest): void {
  if (expected !== undefined && !equalDigests(expected, found)) {
    throw digestMismatch(expected, found);
  }
}

/** What the disk fails with, as the store's failure. */
function onDisk<Value>(what: string, step: () => Value): Value {
  try {
    return step();
  } catch (error) {
    throw storeUnavailable(what, error, "CAS_STORE_UNAVAILABLE");
  }
}

function writeBytes(blobs: DiskBlobs, bytes: Uint8Array, expected: Digest | undefined): Digest {
  const digest = hashBytes(blobs.digestFunction, bytes);
  assertExpected(expected, digest);
  if (digest.sizeBytes === 0 || isHealthy(blobs, digest)) return digest;
  onDisk(`write blob ${digest.hash}`, () => {
    const temporary = blobs.folder.createTemporary();
    try {
      writeFully(temporary.file, bytes, 0);
    } catch (error) {
      blobs.folder.discard(temporary);
      throw error;
    }
    publish(blobs, temporary, digest);
  });
  return digest;
}

async function writeStream(
  blobs: DiskBlobs,
  chunks: AsyncIterable<Uint8Array>,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const { folder } = blobs;
  const temporary = onDisk("write a blob", () => folder.createTemporary());
  let digest: Digest;
  try {
    digest = await copyChunks(blobs, temporary.file, chunks, expected, signal);
    assertExpected(expected, digest);
  } catch (error) {
    folder.discard(temporary);
    throw error;
  }
  if (isHealthy(blobs, digest)) folder.discard(temporary);
  else onDisk(`write blob ${digest.hash}`, () => publish(blobs, temporary, digest));
  return digest;
}

async function copyChunks(
  blobs: DiskBlobs,
  file: number,
  chunks: AsyncIterable<Uint8Array>,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<Digest> {
  const hasher = createHasher(blobs.digestFunction);
  let sizeBytes = 0;
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    hasher.update(chunk);
    const position = sizeBytes;
    onDisk("write a blob", () => writeSparsely(file, chunk, position));
    sizeBytes += chunk.length;
    // Not the blob that was announced, and no reason to fill the disk with it.
    if (expected !== undefined && sizeBytes > expected.sizeBytes) break;
  }
  onDisk("write a blob", () => ftruncateSync(file, sizeBytes));
  return { hash: hasher.digestHex(), sizeBytes };
}

function publish(blobs: DiskBlobs, temporary: TemporaryFile, digest: Digest): void {
  const { folder, digestFunction } = blobs;
  folder.commit(temporary, blobPath(folder.root, digestFunction, digest.hash));
  blobs.corrupt.delete(digest.hash);
  folder.recordBlob(digest.sizeBytes);
}

/**
 * Whether the blob is there and sound, so that it need not be written. The bytes are hashed: a store that takes a name for
 * its content never heals a damaged blob (Bazel's disk cache). It costs a read where nothing is written, on the way of a miss only.
 */
function isHealthy(blobs: DiskBlobs, digest: Digest): boolean {
  if (!hasBlob(blobs, digest)) return false;
  let opened: OpenBlob | undefined;
  try {
    opened = openBlob(blobs, digest);
  } catch (error) {
    // As one whose bytes cannot be read: writing it anew is the only way to heal it.
    if (isRefused(error instanceof Error ? error.cause : error)) return false;
    throw error;
  }
  return opened !== undefined && verifyBlob(blobs, digest, opened);
}
