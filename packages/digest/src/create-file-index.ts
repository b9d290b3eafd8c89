import { CuenvError } from "@cuenv/errors";
import type { Stats } from "node:fs";
import { contentToSave, forgotten, type Seen } from "./content-to-save.ts";
import type { Digest, DigestFunction } from "./digest.ts";
import { formatListing, hashListing, readListing } from "./directory-listing.ts";
import {
  decodeFileIndexState,
  encodeFileIndexState,
  type FileIndexState,
  readStateFile,
} from "./file-index-state.ts";
import type { DirectoryEntry, FileIndex, FileStat } from "./file-index.ts";
import { type FileRecords, savedRecords } from "./file-records.ts";
import { hashFile, type HashedFile } from "./hash-file.ts";
import { lstatOrUndefined, toFileStat } from "./lstat-or-undefined.ts";
import { isMergedFolder } from "./merged-folder.ts";
import { type PathsBelow, pathsBelow } from "./paths-below.ts";
import { isRacy } from "./racy-stat.ts";
import { readLinkText } from "./read-link-text.ts";
import {
  entriesBelow,
  entryOf,
  isUnchanged,
  recordedDigest,
  recordedEntries,
  type RecordedFiles,
  recordedFiles,
  recordedListHash,
  recordedStat,
  replaced,
} from "./recorded-files.ts";
import { replaceFile } from "./replace-file.ts";
import { checksum, type Seal } from "./seal.ts";
import { takeTold, type ToldFile } from "./told-files.ts";

export interface FileIndexOptions {
  /** Absolute path of the workspace root. */
  readonly root: string;
  readonly digestFunction: DigestFunction;
  /** Where the memo is kept between runs; undefined: in this process only. */
  readonly stateFile: string | undefined;
  /** Of the memo, asked when it is read and when it is kept; without one, neither is done. Default: a checksum. */
  readonly seal?: () => Seal | undefined;
  /** Milliseconds since the epoch; for tests of the racy-mtime rule. */
  readonly now?: () => number;
  /** `lstat`, for tests with coarse clocks. */
  readonly lstat?: (path: string) => Stats | undefined;
}

/** How often a file that changes while it is hashed is tried again. */
const maxHashAttempts = 3;

interface Index {
  readonly options: FileIndexOptions;
  readonly now: () => number;
  readonly lstat: (path: string) => Stats | undefined;
  readonly below: PathsBelow;
  readonly recorded: RecordedFiles;
  /** A number: nothing was there, in that turn. */
  readonly seen: Map<string, Seen | number>;
  /** Files that were just written, which nobody looked at since. */
  readonly told: Map<string, ToldFile>;
  /** All that was seen in an earlier turn is looked at anew: what makes everything invalid after each task that ran costs one addition. */
  turn: number;
  changed: boolean;
  /** What this process kept for the next one; undefined: what it read itself stays. */
  kept: Buffer | undefined;
  /** What was read, files and listings, and their bytes, or would have been without a mark: what the next run reads again if nothing is saved. */
  readonly read: { count: number; bytes: number };
}

/** A {@link FileIndex} over the real file system. */
export function createFileIndex(options: FileIndexOptions): FileIndex {
  const index: Index = {
    options,
    now: options.now ?? Date.now,
    lstat: options.lstat ?? lstatOrUndefined,
    below: pathsBelow(options.root),
    recorded: recordedFiles(readState(options)),
    seen: new Map(),
    told: new Map(),
    turn: 1,
    changed: false,
    kept: undefined,
    read: { count: 0, bytes: 0 },
  };
  return {
    root: options.root,
    digestFunction: options.digestFunction,
    records: recordsOf(index),
    stat: (path) => statOf(index, look(index, path)),
    digest: (path) => knownDigest(index, path) ?? hashAndRecord(index, path),
    digestBy: async (path, take) => knownDigest(index, path) ?? takeAndRecord(index, path, take),
    readLink: (path) => readLinkText(absolute(index, path)),
    list: (path) => entriesOf(index, path),
    listHash: (path, without) =>
      without === undefined
        ? (listHashOf(index, path) ?? "")
        : hashWithout(entriesOf(index, path), without),
    remember: (path, digest, mark) => remember(index, path, { turn: index.turn, digest, mark }),
    invalidate: (path) => invalidate(index, path),
    invalidateOne: (path) => forget(index, path),
    save: (unlessLittle = false) => {
      if (index.changed && !(unlessLittle && isLittle(index))) save(index);
    },
  };
}

function readState({
  stateFile,
  digestFunction,
  seal = () => checksum,
}: FileIndexOptions): FileIndexState | undefined {
  const bytes = stateFile === undefined ? undefined : readStateFile(stateFile);
  const sealing = bytes && seal();
  return sealing && decodeFileIndexState(digestFunction, bytes, sealing);
}

function recordsOf(index: Index): FileRecords {
  const { options, recorded } = index;
  return {
    id: recorded.state?.id,
    holds: (ranges) => {
      for (let at = 0; at < ranges.length; at += 2) {
        for (let entry = ranges[at] ?? 0; entry < (ranges[at + 1] ?? 0); entry += 1)
          if (!holds(index, entry)) return false;
      }
      return true;
    },
    saved: () => {
      const { kept } = index;
      const { digestFunction, seal = () => checksum } = options;
      const sealing = kept && seal();
      const now = sealing ? decodeFileIndexState(digestFunction, kept, sealing) : recorded.state;
      return now && savedRecords(recorded.state, now);
    },
  };
}

/** As {@link look}, of a path that is known by its record. */
function holds(index: Index, entry: number): boolean {
  const { turn, recorded } = index;
  const before = recorded.turns[entry];
  if (before === turn) return true;
  const path = recorded.state?.paths[entry];
  if (before === replaced || path === undefined) return false;
  const found = lstatOf(index, path);
  if (found === undefined || !isAsRecorded(index, entry, found, path)) return false;
  recorded.turns[entry] = turn;
  return true;
}

function isAsRecorded({ recorded, options }: Index, entry: number, found: Stats, path: string) {
  return isUnchanged(recorded, entry, found) && !isMergedFolder(found, options.root, path);
}

function lstatOf({ lstat, below, options }: Index, path: string): Stats | undefined {
  return lstat(path === "" ? options.root : below.of(path));
}

function absolute(index: Index, path: string): string {
  return path === "" ? index.options.root : `${index.options.root}/${path}`;
}

/** Undefined: nothing is there. A number: it is as that entry says. */
function look(index: Index, path: string): Seen | number | undefined {
  const { turn, recorded } = index;
  const entry = entryOf(recorded, path);
  const before = entry === undefined ? replaced : recorded.turns[entry];
  if (before === turn) return entry;
  const known = before === replaced ? index.seen.get(path) : undefined;
  if (known === turn) return undefined;
  if (typeof known === "object" && known.turn === turn) return known;
  const found = lstatOf(index, path);
  if (found === undefined) {
    if (entry !== undefined) index.changed = true;
    setSeen(index, path, turn);
    return undefined;
  }
  if (entry !== undefined && isAsRecorded(index, entry, found, path)) {
    recorded.turns[entry] = turn;
    if (known !== undefined) index.seen.delete(path);
    return entry;
  }
  const stat = toFileStat(found);
  const told = takeTold(index.told, path, { stat, turn });
  if (told === undefined && typeof known === "object" && holdsAgain(known, stat)) {
    known.turn = turn;
    return known;
  }
  // Without readAtMs, so never saved, if it was not marked: the file may have been replaced between its writing and this look.
  const seen: Seen = { turn, stat, ...told };
  if (seen.readAtMs !== undefined) countRead(index, stat.sizeBytes);
  setSeen(index, path, seen);
  return seen;
}

/** In place of what was recorded of the path. */
function setSeen(index: Index, path: string, seen: Seen | number): void {
  index.seen.set(path, seen);
  setTurn(index, path, replaced);
}

function setTurn({ recorded }: Index, path: string, turn: number): void {
  const entry = entryOf(recorded, path);
  if (entry !== undefined) recorded.turns[entry] = turn;
}

function statOf(index: Index, looked: Seen | number | undefined): FileStat | undefined {
  return typeof looked === "number" ? recordedStat(index.recorded, looked) : looked?.stat;
}

/** Whether what this process found out about a path before it was told to look again is vouched for by its stat. */
function holdsAgain({ stat: before, readAtMs }: Seen, stat: FileStat): boolean {
  if (readAtMs === undefined || isRacy(before, readAtMs)) return false;
  return (
    before.mtimeMs === stat.mtimeMs &&
    before.ctimeMs === stat.ctimeMs &&
    before.sizeBytes === stat.sizeBytes &&
    before.inode === stat.inode &&
    before.kind === stat.kind &&
    before.executable === stat.executable
  );
}

function forget(index: Index, path: string): void {
  index.told.delete(path);
  const seen = index.seen.get(path);
  if (typeof seen === "object") {
    seen.turn = forgotten;
    return;
  }
  index.seen.delete(path);
  setTurn(index, path, 0);
}

function knownDigest(index: Index, path: string): Digest | undefined {
  const looked = look(index, path);
  return typeof looked === "number" ? recordedDigest(index.recorded, looked) : looked?.digest;
}

function hashAndRecord(index: Index, path: string): Digest {
  for (let attempt = 0; attempt < maxHashAttempts; attempt += 1) {
    const readAtMs = index.now();
    const hashed = hashFile(index.options.digestFunction, absolute(index, path));
    if (record(index, path, hashed, readAtMs)) return hashed.digest;
  }
  throw keptChanging(path);
}

async function takeAndRecord(
  index: Index,
  path: string,
  take: (absolutePath: string) => Promise<Digest>,
): Promise<Digest> {
  const file = absolute(index, path);
  for (let attempt = 0; attempt < maxHashAttempts; attempt += 1) {
    const readAtMs = index.now();
    const before = index.lstat(file);
    const digest = await take(file);
    const after = index.lstat(file);
    if (before === undefined || after === undefined) continue;
    if (record(index, path, { digest, before, after }, readAtMs)) return digest;
  }
  throw keptChanging(path);
}

/** False when the file changed while it was read. */
function record(index: Index, path: string, hashed: HashedFile, readAtMs: number): boolean {
  const { digest, before, after } = hashed;
  const stable =
    before.mtimeMs === after.mtimeMs &&
    before.ctimeMs === after.ctimeMs &&
    before.ino === after.ino &&
    digest.sizeBytes === after.size;
  if (!stable) return false;
  setSeen(index, path, { turn: index.turn, stat: toFileStat(after), digest, readAtMs });
  countRead(index, digest.sizeBytes);
  return true;
}

/** Of a file or a listing: there is something new to save. */
function countRead(index: Index, bytes: number): void {
  index.changed = true;
  index.read.count += 1;
  index.read.bytes += bytes;
}

function keptChanging(path: string): CuenvError {
  return new CuenvError(
    "DIGEST_FILE_CHANGED",
    `cannot hash ${path}: it changed while it was read, ${maxHashAttempts} times`,
    {
      hint: "Another program writes to it. Leave it out of the inputs, or let that program finish first.",
    },
  );
}

function listHashOf(index: Index, path: string): string | undefined {
  const looked = look(index, path);
  if (typeof looked === "number") return recordedListHash(index.recorded, looked);
  return looked && listed(index, path, looked)?.listHash;
}

function entriesOf(index: Index, path: string): readonly DirectoryEntry[] {
  const looked = look(index, path);
  if (typeof looked === "number") return recordedEntries(index.recorded, looked);
  return (looked && listed(index, path, looked)?.entries) ?? [];
}

/** With the listing of a directory; undefined for all else. @throws the system's error when it cannot be listed */
function listed(index: Index, path: string, seen: Seen): Seen | undefined {
  if (seen.stat.kind !== "directory") return undefined;
  if (seen.listHash !== undefined) return seen;
  const readAtMs = index.now();
  const entries = readListing(absolute(index, path));
  if (entries === undefined) return undefined;
  const after = index.lstat(absolute(index, path));
  seen.entries = entries;
  seen.listing = formatListing(entries);
  seen.listHash = hashListing(seen.listing);
  // A directory that changed while it was listed, or whose stat does not tell, is not recorded: a time in the future is racy at every save.
  const stable =
    after?.mtimeMs === seen.stat.mtimeMs &&
    after.ctimeMs === seen.stat.ctimeMs &&
    !isMergedFolder(after, index.options.root, path);
  seen.readAtMs = stable ? readAtMs : Number.NEGATIVE_INFINITY;
  countRead(index, 0);
  return seen;
}

function hashWithout(entries: readonly DirectoryEntry[], without: readonly string[]): string {
  return hashListing(formatListing(entries.filter(({ name }) => !without.includes(name))));
}

/** Nothing is looked at before somebody asks: of what a restore wrote, few files are another task's inputs. */
function remember(index: Index, path: string, told: ToldFile): void {
  index.seen.delete(path);
  forget(index, path);
  index.told.set(path, told);
}

function invalidate(index: Index, path: string): void {
  if (path === "") {
    index.turn += 1;
    index.below.look();
    return;
  }
  const below = `${path}/`;
  forget(index, path);
  for (const map of [index.seen, index.told])
    for (const known of map.keys()) if (known.startsWith(below)) forget(index, known);
  const { turns } = index.recorded;
  const [start, end] = entriesBelow(index.recorded, path);
  for (let entry = start; entry < end; entry += 1) if (turns[entry] !== replaced) turns[entry] = 0;
}

/** One entry in so many, and a mebibyte: they are hashed in a millisecond or two, as long as writing takes 1,000 entries. */
const littleShare = 1 / 256;
const littleBytes = 1024 * 1024;

function isLittle({ recorded, read }: Index): boolean {
  const count = recorded.turns.length;
  return read.count < count * littleShare && read.bytes < littleBytes;
}

function save(index: Index): void {
  const { stateFile, digestFunction, seal = () => checksum } = index.options;
  if (stateFile === undefined) return;
  const sealing = seal();
  if (sealing === undefined) return;
  index.changed = false;
  const content = contentToSave(index);
  // Nothing but entries that hold no more: they are found out again, as they were now. After a restore that is so.
  if (content.fresh.length === 0 && content.kept.length * 2 > index.recorded.turns.length) return;
  index.kept = encodeFileIndexState(digestFunction, content, sealing);
  replaceFile(stateFile, index.kept);
}
