import type { Stats } from "node:fs";
import type { Digest } from "./digest.ts";
import { kindOf, parseListing } from "./directory-listing.ts";
import { directoryFlag, executableFlag, type FileIndexState, flagsOf } from "./file-index-state.ts";
import type { DirectoryEntry, FileKind, FileStat } from "./file-index.ts";

/**
 * What an earlier process recorded, and which of it this one found unchanged. A run of hits looks at 7,000 paths and finds them all here: so there is no object
 * for each of them, but a number in which turn of the index it was looked at.
 */
export interface RecordedFiles {
  readonly state: FileIndexState | undefined;
  /** The entry of a path. */
  readonly entries: ReadonlyMap<string, number>;
  /** By entry: the turn in which its path last had the stat that was recorded; 0: not looked at. */
  readonly turns: Int32Array;
  /** Listings that were parsed, by entry. */
  readonly parsed: Map<number, readonly DirectoryEntry[]>;
}

export function recordedFiles(state: FileIndexState | undefined): RecordedFiles {
  const entries = new Map<string, number>();
  state?.paths.forEach((path, entry) => entries.set(path, entry));
  return { state, entries, turns: new Int32Array(entries.size), parsed: new Map() };
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
