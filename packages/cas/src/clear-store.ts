import { CuenvError } from "@cuenv/errors";
import { type Dirent, lstatSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { removeQuietly } from "./atomic-write.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { isQuarantined } from "./quarantine.ts";
import { scanBlobs, scanEntries, scanMembers, type StoredFile } from "./scan-store.ts";
import { errorCode, storeUnavailable } from "./system-error.ts";
import { sweepAbandoned } from "./temporary-folder.ts";
import { isTakenJournal } from "./usage-journal.ts";

export interface Cleared {
  readonly removedEntries: number;
  readonly removedBlobs: number;
  /** Of entries and blobs. */
  readonly removedBytes: number;
  /** Of everything else: quarantine, journal, index, and what dead processes left. */
  readonly otherBytes: number;
}

export interface ClearOptions {
  /** Told now and then how many files are gone, and how many bytes. */
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Empties the store: entries first, then blobs, quarantine, journal and index, and what dead processes left in `tmp`. Only files that are
 * the cache's own by name and place go; folders go when they are empty. Processes that store or restore meanwhile have misses, nothing worse.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE, with all removed that could be when something could not; the signal's reason.
 */
export async function clearStore(
  folder: CacheFolder,
  options: ClearOptions = {},
): Promise<Cleared> {
  const { layout } = folder;
  const { signal } = options;
  try {
    if (lstatSync(layout.base, { throwIfNoEntry: false }) === undefined) {
      return { removedEntries: 0, removedBlobs: 0, removedBytes: 0, otherBytes: 0 };
    }
    folder.assertWritable();
    folder.saveUses();
    const left: Left[] = [];
    const scan = { signal, onRefused: (path: string) => void left.push({ path }) };
    const entries = await removeAll(scanEntries(layout, scan), left, options.onProgress);
    const blobs = await removeAll(scanBlobs(layout, scan), left, (files, bytes) =>
      options.onProgress?.(entries.count + files, entries.bytes + bytes),
    );
    for await (const { path } of scanMembers(layout, scan)) removeQuietly(path);
    const otherBytes = clearTheRest(folder);
    for (const directory of [layout.entries, layout.blobs, layout.members, layout.quarantine])
      removeEmpty(directory);
    assertNothingLeft(folder, left);
    return {
      removedEntries: entries.count,
      removedBlobs: blobs.count,
      removedBytes: entries.bytes + blobs.bytes,
      otherBytes,
    };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw storeUnavailable(`clear ${folder.root}`, error, "CAS_STORE_UNAVAILABLE");
  }
}

/** What could not be removed, and the system's word for it; without one, a folder that may not be looked into. */
interface Left {
  readonly path: string;
  readonly error?: unknown;
}

/** Last: what could be removed is. */
function assertNothingLeft({ root }: CacheFolder, left: readonly Left[]): void {
  const [first] = left;
  if (first === undefined) return;
  const { path, error } = first;
  if (errorCode(error) === "EROFS")
    throw storeUnavailable(`clear ${root} wholly`, error, "CAS_STORE_UNAVAILABLE");
  const what = left.length === 1 ? path : `${path} and ${left.length - 1} more`;
  throw new CuenvError(
    "CAS_STORE_UNAVAILABLE",
    `cannot clear ${root} wholly: ${what} could not be removed`,
    { hint: "They may be of a run as another user, or as root: remove them as that user." },
  );
}

/** Gives the bytes that went. */
function clearTheRest({ layout, now }: CacheFolder): number {
  let bytes = 0;
  const remove = (path: string): void => {
    const size = sizeOf(path);
    if (removeQuietly(path)) bytes += size;
  };
  for (const name of namesIn(layout.quarantine).filter(isQuarantined))
    remove(`${layout.quarantine}/${name}`);
  remove(layout.index);
  for (const name of namesIn(layout.base)) {
    if (name === "journal" || isTakenJournal(name)) remove(`${layout.base}/${name}`);
  }
  sweepAbandoned(layout.temporary, now(), "", (path) => {
    bytes += sizeBelow(path);
  });
  return bytes;
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.size ?? 0;
  } catch {
    return 0;
  }
}

function sizeBelow(path: string): number {
  let entries: Dirent[];
  try {
    entries = readdirSync(path, { withFileTypes: true, recursive: true });
  } catch {
    return sizeOf(path);
  }
  return entries.reduce(
    (sum, entry) => sum + (entry.isDirectory() ? 0 : sizeOf(`${entry.parentPath}/${entry.name}`)),
    0,
  );
}

/** So many files between two reports. */
const filesPerReport = 64;

async function removeAll(
  files: AsyncIterable<StoredFile>,
  left: Left[],
  onProgress: ClearOptions["onProgress"],
): Promise<{ count: number; bytes: number }> {
  let count = 0;
  let bytes = 0;
  for await (const { path, sizeBytes } of files) {
    try {
      unlinkSync(path);
    } catch (error) {
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) left.push({ path, error });
      continue;
    }
    count += 1;
    bytes += sizeBytes;
    if (count % filesPerReport === 0) onProgress?.(count, bytes);
  }
  return { count, bytes };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Bottom-up; a folder that holds anything, be it somebody's own file, stays. A writer that loses its folder makes it again. */
function removeEmpty(directory: string): void {
  for (const name of namesIn(directory)) {
    const path = `${directory}/${name}`;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) removeEmpty(path);
  }
  try {
    rmdirSync(directory);
  } catch {
    // Not empty.
  }
}
