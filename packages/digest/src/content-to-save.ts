import { flagsOf, type StateContent, type StateEntry } from "./file-index-state.ts";
import type { DirectoryEntry, FileStat } from "./file-index.ts";
import type { Digest } from "./digest.ts";
import { isRacy } from "./racy-stat.ts";
import { type RecordedFiles, replaced } from "./recorded-files.ts";

/** What this process saw at a path that is not as it was recorded, or was not. */
export interface Seen {
  /** The turn of the index in which this was looked at last. In a later one it holds again where a new look finds the same stat. */
  turn: number;
  readonly stat: FileStat;
  digest?: Digest;
  listing?: string;
  listHash?: string;
  entries?: readonly DirectoryEntry[];
  /** The clock before digest or listing were read from the disk; undefined when nothing was. */
  readAtMs?: number;
}

/** The turn of what was forgotten: none. */
export const forgotten = -1;

/** Entries of the state that this run did not look at are kept up to this number. */
const maxUnseenEntries = 500_000;

/** What the next process is to know: what was found unchanged, and what is new and old enough to be vouched for by its stat. */
export function contentToSave({
  recorded,
  seen,
  turn,
}: {
  readonly recorded: RecordedFiles;
  readonly seen: ReadonlyMap<string, Seen | number>;
  readonly turn: number;
}): StateContent {
  const fresh: StateEntry[] = [];
  for (const [path, each] of seen) {
    const entry =
      typeof each === "object" && each.turn !== forgotten ? freshEntry(path, each) : undefined;
    if (entry !== undefined) fresh.push(entry);
  }
  const kept: number[] = [];
  const { state, turns } = recorded;
  let unseen = 0;
  for (let entry = 0; entry < turns.length; entry += 1) {
    const was = turns[entry] ?? 0;
    if (was === replaced) {
      const now = seen.get(state?.paths[entry] ?? "");
      if (typeof now === "object" || now === turn) continue;
    }
    if (was <= 0) unseen += 1;
    if (was > 0 || unseen <= maxUnseenEntries) kept.push(entry);
  }
  return { before: recorded.state, kept, fresh };
}

function freshEntry(path: string, seen: Seen): StateEntry | undefined {
  const hash = seen.stat.kind === "directory" ? seen.listHash : seen.digest?.hash;
  if (hash === undefined || seen.readAtMs === undefined || isRacy(seen.stat, seen.readAtMs))
    return undefined;
  const { kind, sizeBytes, mtimeMs, ctimeMs, inode, executable } = seen.stat;
  return {
    path,
    size: sizeBytes,
    mtimeMs,
    ctimeMs,
    inode,
    flags: flagsOf(kind, executable),
    hash,
    listing: seen.listing ?? "",
  };
}
