import { type BlobStore, maxSyncReadBytes } from "./blob-store.ts";
import { type FileToStage, stageFile } from "./stage-file.ts";
import { stageLargeFile } from "./stage-large-file.ts";
import { type OfferedFiles, stagingThreads, type StagingThreads } from "./staging-threads.ts";
import { createTurns } from "./take-turns.ts";

export interface StageFilesOptions {
  readonly store: BlobStore;
  readonly signal: AbortSignal | undefined;
  /** Default: the store's own. */
  readonly threads?: StagingThreads;
}

/** So many blobs are waited for at a time, when the store has to wait for them itself. */
const parallelReads = 8;
/** What a thread is asked for at once, unless one file is larger: it is done with it in a millisecond, so that nobody waits long for the last one (1 MiB). */
const maxListFiles = 16;
const maxListBytes = 1024 * 1024;

/**
 * Writes each file, verified, in this thread and in others. Once it returns or throws, nothing is written any more.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; system errors; the signal's reason.
 */
export async function stageFiles(
  files: readonly FileToStage[],
  options: StageFilesOptions,
): Promise<void> {
  const { threads: all = stagingThreads(options.store) } = options;
  const bytes = files.reduce((sum, { entry }) => sum + entry.digest.sizeBytes, 0);
  const threads = all?.expect(files.length, bytes) === true ? all : undefined;
  const large = files.filter(isLarge);
  const small = large.length === 0 ? files : files.filter((file) => !isLarge(file));
  const staging: Staging = { ...options, threads, large, offered: [], turn: createTurns() };
  try {
    for (const list of listsOf(small))
      if (!isOffered(staging, list)) await stageSmall(staging, list);
    await stageLarge(staging);
    for (const offer of staging.offered)
      if (!(await offer.settle(options.signal))) await stageAgain(staging, offer.files);
  } finally {
    // Not made for nothing: it has an error in it, with a stack.
    const over = staging.offered.length === 0 ? undefined : AbortSignal.abort();
    for (const offer of staging.offered) await offer.settle(over);
  }
}

interface Staging extends Omit<StageFilesOptions, "threads"> {
  readonly threads: StagingThreads | undefined;
  /** Files that the store cannot give at once. */
  readonly large: FileToStage[];
  /** Lists of files that a thread has, or may have. */
  readonly offered: OfferedFiles[];
  readonly turn: () => Promise<void> | undefined;
}

function isLarge({ entry }: FileToStage): boolean {
  return entry.digest.sizeBytes > maxSyncReadBytes;
}

function* listsOf(files: readonly FileToStage[]): Generator<readonly FileToStage[]> {
  let list: FileToStage[] = [];
  let bytes = 0;
  for (const file of files) {
    const { sizeBytes } = file.entry.digest;
    if (list.length === maxListFiles || (list.length > 0 && bytes + sizeBytes > maxListBytes)) {
      yield list;
      list = [];
      bytes = 0;
    }
    list.push(file);
    bytes += sizeBytes;
  }
  if (list.length > 0) yield list;
}

function isOffered({ threads, offered }: Staging, files: readonly FileToStage[]): boolean {
  const offer = threads?.offer(files);
  if (offer !== undefined) offered.push(offer);
  return offer !== undefined;
}

async function stageSmall(staging: Staging, files: readonly FileToStage[]): Promise<void> {
  for (const file of files) {
    const others = staging.turn();
    if (others !== undefined) await others;
    staging.signal?.throwIfAborted();
    if (!stageFile(staging.store, file)) staging.large.push(file);
  }
}

/** One after the other from a disk, so that threads get those that this one has not begun with; side by side from what has to wait for them. */
async function stageLarge(staging: Staging): Promise<void> {
  const { store, large, signal } = staging;
  const work = async (): Promise<void> => {
    for (let file = large.shift(); file !== undefined; file = large.shift()) {
      signal?.throwIfAborted();
      if (!isOffered(staging, [file])) await stageLargeFile(store, file, { signal });
    }
  };
  const parallel = store.openedFrom === undefined ? parallelReads : 1;
  const workers = Array.from({ length: Math.min(parallel, large.length) }, work);
  // All of them end before the folder goes, also after the first failure.
  const failed = (await Promise.allSettled(workers)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** What no thread has done, for one reason or another. */
async function stageAgain(staging: Staging, files: readonly FileToStage[]): Promise<void> {
  const { store, signal } = staging;
  signal?.throwIfAborted();
  await stageSmall(
    staging,
    files.filter((file) => !isLarge(file)),
  );
  const large = [...files.filter(isLarge), ...staging.large.splice(0)];
  for (const file of large) await stageLargeFile(store, file, { signal });
}
