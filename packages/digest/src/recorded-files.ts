import type { Stats } from "node:fs";
import type { Digest } from "./digest.ts";
import { kindOf, parseListing } from "./directory-listing.ts";
import { directoryFlag, executableFlag, type FileIndexState, flagsOf } from "./file-index-state.ts";
import type { DirectoryEntry, FileKind, FileStat } from "./file-index.ts";
import { firstNotBefore } from "./file-records.ts";

/**
 * What an earlier process recorded, and which of it this one found unchanged. A run of hits looks at 7,000 paths and finds them all here: so there is no object
 * for each of them, but a number in which turn of the index it was looked at, and no map from path to entry (making one and asking it took 8 of 100 ms: V8 internalizes each
 * string that is a key).
 */
export interface RecordedFiles {
  readonly state: FileIndexState | undefined;
  /** By entry: the turn in which its path last had the stat that was recorded; 0: not looked at; {@link replaced}. */
  readonly turns: Int32Array;
  /** Listings that were parsed, by entry. */
  readonly parsed: Map<number, readonly DirectoryEntry[]>;
  /** The entry that was found last. */
  last: number;
}

/** Of an entry: there is another answer for its path, which the index holds. */
export const replaced = -1;

export function recordedFiles(state: FileIndexState | undefined): RecordedFiles {
  const turns = new Int32Array(state?.paths.length ?? 0);
  return { state, turns, parsed: new Map(), last: 0 };
}

/**
 * The entry of a path. Files of a task are looked at in the order of their names, most more than once: nine questions of ten are for the path
 * of the question before, or for the next one.
 */
export function entryOf(recorded: RecordedFiles, path: string): number | undefined {
  const { state, last } = recorded;
  if (state === undefined) return undefined;
  const { paths } = state;
  if (paths[last] === path) return last;
  const found = paths[last + 1] === path ? last + 1 : firstNotBefore(paths, path);
  if (paths[found] !== path) return undefined;
  recorded.last = found;
  return found;
}

/** The entries of what is below a folder: from the first number, up to the second. */
export function entriesBelow({ state }: RecordedFiles, folder: string): readonly [number, number] {
  if (state === undefined) return [0, 0];
  // "0" is the character after "/".
  return [firstNotBefore(state.paths, `${folder}/`), firstNotBefore(state.paths, `${folder}0`)];
}

/** Whether what is there now has the stat that was recorded. */
export function isUnchanged({ state }: RecordedFiles, entry: number, now: Stats): boolean {
  if (state === undefined) return false;
  return (
    state.mtimeMs[entry] === now.mtimeMs &&
    state.ctimeMs[entry] === now.ctimeMs &&
    state.size[entry] === now.size &&
    state.inode[entry] === now.ino &&
    (now.isFile() || now.isDirectory()) &&
    state.flags[entry] === flagsOf(kindOf(now), isExecutable(now))
  );
}

/** The owner's execute bit, of a file. */
export function isExecutable(stat: Stats): boolean {
  return stat.isFile() && (stat.mode & 0o100) !== 0;
}

/** As it was recorded. Its parts are read when they are asked for. */
export class RecordedStat implements FileStat {
  readonly #state: FileIndexState;
  readonly #entry: number;
  constructor(state: FileIndexState, entry: number) {
    this.#state = state;
    this.#entry = entry;
  }
  get kind(): FileKind {
    return isDirectory(this.#state, this.#entry) ? "directory" : "file";
  }
  get sizeBytes(): number {
    return this.#state.size[this.#entry] ?? 0;
  }
  get mtimeMs(): number {
    return this.#state.mtimeMs[this.#entry] ?? 0;
  }
  get ctimeMs(): number {
    return this.#state.ctimeMs[this.#entry] ?? 0;
  }
  get inode(): number {
    return this.#state.inode[this.#entry] ?? 0;
  }
  get executable(): boolean {
    return ((this.#state.flags[this.#entry] ?? 0) & executableFlag) !== 0;
  }
}

export function recordedStat({ state }: RecordedFiles, entry: number): FileStat | undefined {
  return state && new RecordedStat(state, entry);
}

/** Of a file; undefined for a directory. */
export function recordedDigest({ state }: RecordedFiles, entry: number): Digest | undefined {
  if (state === undefined || isDirectory(state, entry)) return undefined;
  const hash = state.hashes.toString("hex", entry * 32, entry * 32 + 32);
  return { hash, sizeBytes: state.size[entry] ?? 0 };
}

/** The hash of a directory's listing; undefined for a file. */
export function recordedListHash({ state }: RecordedFiles, entry: number): string | undefined {
  if (state === undefined || !isDirectory(state, entry)) return undefined;
  return state.hashes.toString("hex", entry * 32, entry * 32 + 12);
}

/** The names in a directory; none of a file. */
export function recordedEntries(
  { state, parsed }: RecordedFiles,
  entry: number,
): readonly DirectoryEntry[] {
  let entries = parsed.get(entry);
  if (entries === undefined)
    parsed.set(entry, (entries = parseListing(state?.listing(entry) ?? "")));
  return entries;
}

function isDirectory(state: FileIndexState, entry: number): boolean {
  return ((state.flags[entry] ?? 0) & directoryFlag) !== 0;
}
