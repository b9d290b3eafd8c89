import { createHasher, hashFile } from "@cuenv/digest";
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  symlinkSync,
  unlinkSync,
} from "node:fs";
import { createFlags, removeQuietly, writeFully, writeSparsely } from "./atomic-write.ts";
import { blobCorrupt } from "./blob-errors.ts";
import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";
import type { OutputEntry } from "./output-entry.ts";
import { createPendingWrites, type PendingWrites } from "./pending-writes.ts";
import { giveBack, scratchBuffer, takeBuffer } from "./scratch-buffer.ts";
import { errorCode } from "./system-error.ts";
import { createTurns } from "./take-turns.ts";

/** What is renamed into the workspace: a file, a link, or a folder with all that is in it. */
export interface StagedUnit {
  /** Relative to the workspace root. */
  readonly path: string;
  readonly kind: OutputEntry["kind"];
  /** Absolute. */
  readonly staged: string;
}

export interface StageOptions {
  /** Of the staging folder. */
  readonly newPlace: () => string;
  readonly store: BlobStore;
  readonly signal: AbortSignal | undefined;
}

/** Of smaller files the write is over about as soon as another thread was asked for it, and that takes a fifth more CPU (256 KiB). */
const minBytesBeside = 256 * 1024;

/** So many blobs are waited for at a time, when the store cannot give them at once. */
const parallelReads = 8;

type FileEntry = Extract<OutputEntry, { kind: "file" }>;
interface FileToStage {
  readonly entry: FileEntry;
  readonly target: string;
}

/**
 * Puts all of `writes` into the staging folder, every file verified. Entries below a folder that is new itself are
 * staged in it, so that it comes into the workspace with one rename. Once it returns or throws, nothing is written any more.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; system errors; the signal's reason.
 */
export async function stageOutputs(
  writes: readonly OutputEntry[],
  options: StageOptions,
): Promise<readonly StagedUnit[]> {
  const pending = createPendingWrites();
  try {
    return await stageAll(writes, options, pending);
  } finally {
    // What fails after another failure is not told.
    await pending.settle().catch(() => undefined);
  }
}

async function stageAll(
  writes: readonly OutputEntry[],
  options: StageOptions,
  pending: PendingWrites,
): Promise<readonly StagedUnit[]> {
  const units: StagedUnit[] = [];
  const folders = new Map<string, string>();
  const waiting: FileToStage[] = [];
  const turn = createTurns();
  for (const entry of writes) {
    const others = turn();
    if (others !== undefined) await others;
    options.signal?.throwIfAborted();
    const slash = entry.path.lastIndexOf("/");
    const above = slash < 0 ? undefined : folders.get(entry.path.slice(0, slash));
    const target = above === undefined ? options.newPlace() : `${above}${entry.path.slice(slash)}`;
    if (above === undefined) units.push({ path: entry.path, kind: entry.kind, staged: target });
    if (entry.kind === "directory") {
      mkdirSync(target);
      folders.set(entry.path, target);
    } else if (entry.kind === "symlink") {
      symlinkSync(entry.target, target);
    } else {
      const isStaged =
        entry.digest.sizeBytes >= minBytesBeside
          ? await stageBeside(options.store, { entry, target }, pending)
          : stageAtOnce(options.store, entry, target);
      if (!isStaged) waiting.push({ entry, target });
    }
  }
  await stageWaiting(waiting, options);
  await pending.settle();
  return units;
}

/** Executable files get 0777, others 0666; the process's umask applies, as it does to a compiler. */
function createFile(target: string, executable: boolean): number {
  return openSync(target, createFlags, executable ? 0o777 : 0o666);
}

function stageAtOnce(store: BlobStore, entry: FileEntry, target: string): boolean {
  const bytes = store.readSync?.(entry.digest, scratchBuffer());
  if (bytes === undefined) return false;
  const file = createFile(target, entry.executable);
  try {
    writeFully(file, bytes, 0);
  } finally {
    closeSync(file);
  }
  return true;
}

/** As {@link stageAtOnce}, in a buffer of its own, which another thread writes out. */
async function stageBeside(
  store: BlobStore,
  { entry, target }: FileToStage,
  pending: PendingWrites,
): Promise<boolean> {
  const buffer = entry.digest.sizeBytes <= maxSyncReadBytes ? takeBuffer() : undefined;
  if (buffer === undefined) return stageAtOnce(store, entry, target);
  let bytes: Uint8Array | undefined;
  let file: number | undefined;
  try {
    bytes = store.readSync?.(entry.digest, buffer);
    if (bytes !== undefined) file = createFile(target, entry.executable);
  } finally {
    if (file === undefined) giveBack(buffer);
  }
  if (bytes === undefined || file === undefined) return false;
  await pending.add(file, bytes, () => giveBack(buffer));
  return true;
}

async function stageWaiting(files: readonly FileToStage[], options: StageOptions): Promise<void> {
  const queue = files.values();
  const work = async (): Promise<void> => {
    for (const file of queue) {
      options.signal?.throwIfAborted();
      if (!cloneBlob(options.store, file)) await copyBlob(options, file);
    }
  };
  const workers = Array.from({ length: Math.min(parallelReads, files.length) }, work);
  // All of them end before the folder goes, also after the first failure.
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

async function copyBlob(options: StageOptions, { entry, target }: FileToStage): Promise<void> {
  const { store, signal } = options;
  // A store on this disk has hashed the bytes when it delivered the last one.
  const hasher = store.localPath === undefined ? createHasher(store.digestFunction) : undefined;
  const file = createFile(target, entry.executable);
  let position = 0;
  try {
    for await (const chunk of store.read(entry.digest, signal === undefined ? {} : { signal })) {
      hasher?.update(chunk);
      writeSparsely(file, chunk, position);
      position += chunk.length;
      if (position > entry.digest.sizeBytes) break;
    }
    ftruncateSync(file, position);
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
 * that writes to its output in place would change the store. The clone is hashed, as every other copy is.
 */
function cloneBlob(store: BlobStore, { entry, target }: FileToStage): boolean {
  if (cannotClone || entry.digest.sizeBytes <= maxSyncReadBytes) return false;
  const path = store.localPath?.(entry.digest);
  if (path === undefined) return false;
  // A file of its own first: the umask is not readable without changing it, and the clone has the store's mode.
  closeSync(createFile(target, entry.executable));
  const { mode } = statSync(target);
  unlinkSync(target);
  try {
    copyFileSync(path, target, forceClone);
    chmodSync(target, mode & 0o777);
    const { digest } = hashFile(store.digestFunction, target);
    if (digest.hash === entry.digest.hash) return true;
  } catch (error) {
    cannotClone = errorCode(error) !== "ENOENT";
  }
  // The store's own read says what is wrong with it.
  removeQuietly(target);
  return false;
}
