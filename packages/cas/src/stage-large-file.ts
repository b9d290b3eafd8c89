import { createHasher, type DigestFunction, hashFileInTurns } from "@cuenv/digest";
import { chmodSync, closeSync, constants, copyFileSync, statSync, unlinkSync } from "node:fs";
import { endHole, removeQuietly, writeSparsely } from "./atomic-write.ts";
import { blobCorrupt } from "./blob-errors.ts";
import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";
import { createBufferPool } from "./buffer-pool.ts";
import { chunkBytes } from "./disk-blobs.ts";
import { createStagedFile, type FileToStage } from "./stage-file.ts";
import { errorCode } from "./system-error.ts";
import { createTurns, piecesPerTurn } from "./take-turns.ts";

export interface StageLargeOptions {
  readonly signal?: AbortSignal | undefined;
  /** Throws when it is to be given up; asked after each chunk. */
  readonly goOn?: () => void;
}

/**
 * Writes one file that the store cannot give at once, verified: as a clone where the file system can, else chunk by chunk.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; system errors; the signal's reason; what `goOn` throws
 */
export async function stageLargeFile(
  store: BlobStore,
  file: FileToStage,
  options: StageLargeOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  if (cloneBlob(store, file) && (await isRightClone(store.digestFunction, file, options))) return;
  await copyBlob(store, file, options);
}

async function copyBlob(
  store: BlobStore,
  { entry, target }: FileToStage,
  { signal, goOn }: StageLargeOptions,
): Promise<void> {
  // A store on this disk has hashed the bytes when it delivered the last one.
  const hasher = store.localPath === undefined ? createHasher(store.digestFunction) : undefined;
  // A new one for each chunk is memory that V8 frees late, and in every thread.
  const buffers = createBufferPool({ bufferBytes: chunkBytes, maxBuffers: 1 });
  const file = createStagedFile({ entry, target });
  let position = 0;
  let endsInHole = false;
  try {
    const options = signal === undefined ? { buffers } : { buffers, signal };
    for await (const chunk of store.read(entry.digest, options)) {
      hasher?.update(chunk);
      endsInHole = writeSparsely(file, chunk, position);
      buffers.give(chunk);
      position += chunk.length;
      if (position > entry.digest.sizeBytes) break;
      goOn?.();
    }
    if (endsInHole) endHole(file, position);
  } finally {
    closeSync(file);
  }
  const hash = hasher === undefined ? entry.digest.hash : hasher.digestHex();
  if (hash !== entry.digest.hash || position !== entry.digest.sizeBytes) {
    throw blobCorrupt(entry.digest, `${position} bytes with hash ${hash}`);
  }
}

const forceClone = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE_FORCE;
/** Whether this process saw that its file systems cannot clone. */
let cannotClone = false;

// Stryker disable all: what it does shows on few file systems only (clone-restore.test.ts, in a process and a mount of its own); elsewhere the blob is
// copied, and verified, by the code above.
/**
 * A large blob shares its blocks with the store where the file system can (XFS, btrfs, APFS), copy on write. Never a hardlink: a task
 * that writes to its output in place would change the store. False: it cannot be done, and nothing is there.
 */
function cloneBlob(store: BlobStore, { entry, target }: FileToStage): boolean {
  if (cannotClone || entry.digest.sizeBytes <= maxSyncReadBytes) return false;
  const path = store.localPath?.(entry.digest);
  if (path === undefined) return false;
  // A file of its own first: the umask is not readable without changing it, and the clone has the store's mode.
  closeSync(createStagedFile({ entry, target }));
  const { mode } = statSync(target);
  unlinkSync(target);
  try {
    copyFileSync(path, target, forceClone);
    chmodSync(target, mode & 0o777);
    return true;
  } catch (error) {
    cannotClone = errorCode(error) !== "ENOENT";
    removeQuietly(target);
    return false;
  }
}

/**
 * The clone is hashed, as every other copy is. False: it is wrong, and gone; the store's own read says what is wrong with it.
 * @throws the signal's reason; what `goOn` throws
 */
async function isRightClone(
  digestFunction: DigestFunction,
  { entry, target }: FileToStage,
  { signal, goOn }: StageLargeOptions,
): Promise<boolean> {
  const turn = createTurns(piecesPerTurn);
  const found = await hashFileInTurns(digestFunction, target, () => {
    goOn?.();
    signal?.throwIfAborted();
    return turn();
  });
  if (found.hash === entry.digest.hash) return true;
  removeQuietly(target);
  return false;
}
