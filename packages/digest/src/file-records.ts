import { directoryFlag, executableFlag, type FileIndexState } from "./file-index-state.ts";

/**
 * What earlier runs recorded of the files of a workspace, by numbers: for memos that rest on many files. Where all of them have the stat that was recorded, whatever
 * came of their contents need not be found out again.
 */
export interface FileRecords {
  /** Names what the numbers belong to; undefined: nothing is recorded. */
  readonly id: string | undefined;
  /**
   * Whether the path of each of these records has the stat that was recorded, which vouches for its content as for {@link FileIndex.digest}. A path that was looked at
   * already is not looked at again.
   * @param ranges a first number and one after the last, pair after pair
   * @throws the system's error when it does not say what is there
   */
  holds(ranges: readonly number[]): boolean;
  /** What the next run will find, as far as this one knows; undefined: nothing. To be asked when all was saved. */
  saved(): SavedRecords | undefined;
}

/** What is recorded of a path: of a file its digest's hash, of a directory its `listHash`. */
export interface RecordedContent {
  readonly kind: "file" | "directory";
  readonly hash: string;
  /** Undefined: either way. */
  readonly executable?: boolean | undefined;
}

export interface SavedRecords {
  readonly id: string;
  /** The record that says this of a path; undefined: none does. */
  find(path: string, content: RecordedContent): number | undefined;
  /** By their numbers of now, records that had other numbers when the run began; undefined: one is gone, or says something else. In the order of the numbers. */
  renumber(ranges: readonly number[]): readonly number[] | undefined;
}

/** @param before what was read when the run began @param now what is kept for the next one */
export function savedRecords(
  before: FileIndexState | undefined,
  now: FileIndexState,
): SavedRecords {
  let moved: Int32Array | undefined;
  return {
    id: now.id,
    find: (path, content) => {
      const entry = firstNotBefore(now.paths, path);
      return now.paths[entry] === path && saysSo(now, entry, content) ? entry : undefined;
    },
    renumber: (ranges) => {
      if (before === undefined) return undefined;
      if (before === now) return ranges;
      moved ??= movedNumbers(before, now);
      const numbers: number[] = [];
      for (let at = 0; at < ranges.length; at += 2) {
        for (let entry = ranges[at] ?? 0; entry < (ranges[at + 1] ?? 0); entry += 1) {
          const number = moved[entry] ?? gone;
          if (number === gone) return undefined;
          numbers.push(number);
        }
      }
      return numberRanges(numbers);
    },
  };
}

/** Ascending numbers, each once, as pairs of the first of those that follow each other and one after the last. */
export function numberRanges(numbers: readonly number[]): readonly number[] {
  const ranges: number[] = [];
  for (const number of numbers) {
    if (ranges.at(-1) === number) ranges[ranges.length - 1] = number + 1;
    else ranges.push(number, number + 1);
  }
  return ranges;
}

/** The place of a path in ascending ones, or of the first behind it. */
export function firstNotBefore(paths: readonly string[], path: string): number {
  let [low, high] = [0, paths.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((paths[middle] ?? "") < path) low = middle + 1;
    else high = middle;
  }
  return low;
}

function saysSo(
  { flags, hashes }: FileIndexState,
  entry: number,
  { kind, hash, executable }: RecordedContent,
): boolean {
  const flag = flags[entry] ?? 0;
  if ((flag & directoryFlag) !== (kind === "directory" ? directoryFlag : 0)) return false;
  if (executable !== undefined && (flag & executableFlag) !== (executable ? executableFlag : 0))
    return false;
  return hashes.toString("hex", entry * 32, entry * 32 + hash.length / 2) === hash;
}

const gone = -1;

/** Both are in the order of their paths. */
function movedNumbers(before: FileIndexState, now: FileIndexState): Int32Array {
  const moved = new Int32Array(before.paths.length).fill(gone);
  let next = 0;
  for (const [entry, path] of before.paths.entries()) {
    while (next < now.paths.length && (now.paths[next] ?? "") < path) next += 1;
    if (now.paths[next] === path && saysTheSame(before, entry, now, next)) moved[entry] = next;
  }
  return moved;
}

function saysTheSame(
  before: FileIndexState,
  entry: number,
  now: FileIndexState,
  other: number,
): boolean {
  if (before.flags[entry] !== now.flags[other]) return false;
  const hashOf = ({ hashes }: FileIndexState, at: number): Buffer =>
    hashes.subarray(at * 32, at * 32 + 32);
  return hashOf(before, entry).equals(hashOf(now, other));
}
