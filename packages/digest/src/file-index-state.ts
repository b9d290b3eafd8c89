import type { DigestFunction } from "./digest.ts";
import type { FileKind } from "./file-index.ts";
import { readMemoFile } from "./own-file.ts";
import type { Seal } from "./seal.ts";

/**
 * The file of a file index. All integers and floats are little-endian.
 *
 *     offset  size
 *          0     8  magic "cuenvix2"
 *          8     1  digest function (0 sha256, 1 blake3), then 3 bytes of zero
 *         12     4  n, the number of entries
 *         16     4  p, bytes of the paths; 4 l, bytes of the listings
 *         24   4*8n size, mtimeMs, ctimeMs, inode: four columns of float64
 *                 n flags: 1 directory, 2 executable
 *               32n hashes: of the file's bytes; of a directory, its listing's hash (first 12 bytes, rest zero)
 *                4n length of each entry's listing in UTF-16 units (0 for files)
 *                 p paths, joined by NUL, UTF-8, in ascending order (by UTF-16 units, as `<` says)
 *                 l listings, concatenated, UTF-8
 *               32  seal of everything before
 */
export interface FileIndexState {
  /** Names this very state, and no other: its seal. */
  readonly id: string;
  readonly paths: readonly string[];
  readonly size: Float64Array;
  readonly mtimeMs: Float64Array;
  readonly ctimeMs: Float64Array;
  readonly inode: Float64Array;
  readonly flags: Uint8Array;
  readonly hashes: Buffer;
  /** The listing of entry i, "" for files; see directory-listing.ts for the text. */
  listing(entry: number): string;
}

export const directoryFlag = 1;
export const executableFlag = 2;

export function flagsOf(kind: FileKind, executable: boolean): number {
  return (kind === "directory" ? directoryFlag : 0) | (executable ? executableFlag : 0);
}

const magic = "cuenvix2";
const headerBytes = 24;
const functionIds: Readonly<Record<DigestFunction, number>> = { sha256: 0, blake3: 1 };
/** A larger file is not ours: 2 million entries would be about 300 MB. */
const maxStateBytes = 512 * 1024 * 1024;

export interface StateEntry {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly inode: number;
  readonly flags: number;
  /** Lowercase hexadecimal, of a directory 24 digits. */
  readonly hash: string;
  readonly listing: string;
}

/** What a state is made of: entries of an earlier one, by their numbers, ascending, and new ones of other paths, in any order. */
export interface StateContent {
  readonly before: FileIndexState | undefined;
  readonly kept: readonly number[];
  readonly fresh: readonly StateEntry[];
}

/** Kept entries are copied column by column, in runs, and no part of it twice: of 7,000 files a few change, and what is made for all of them fills the heap at the end of a run. */
export function encodeFileIndexState(
  digestFunction: DigestFunction,
  { before, kept, fresh }: StateContent,
  seal: Seal,
): Buffer {
  const sorted = fresh.toSorted((left, right) => (left.path < right.path ? -1 : 1));
  const order = merged(before?.paths ?? [], kept, sorted);
  const count = order.length;
  const { paths, listings, lengths } = textsOf(before, order, sorted);
  const pathBytes = Buffer.byteLength(paths);
  const listingBytes = Buffer.byteLength(listings);
  const fixed = headerBytes + count * (4 * 8 + 1 + 32 + 4);
  const bytes = Buffer.alloc(fixed + pathBytes + listingBytes + 32);
  bytes.write(magic, 0, "latin1");
  bytes.writeUInt8(functionIds[digestFunction], 8);
  bytes.writeUInt32LE(count, 12);
  bytes.writeUInt32LE(pathBytes, 16);
  bytes.writeUInt32LE(listingBytes, 20);
  // Not pooled, so it starts at 0 of its memory, and the columns at a multiple of 8.
  const columns = new Float64Array(bytes.buffer, bytes.byteOffset + headerBytes, 4 * count);
  const flags = bytes.subarray(headerBytes + 32 * count);
  const hashes = bytes.subarray(headerBytes + 33 * count);
  if (before !== undefined) {
    const { size, mtimeMs, ctimeMs, inode } = before;
    for (const [at, start, end] of runsOf(order)) {
      [size, mtimeMs, ctimeMs, inode].forEach((column, number) =>
        columns.set(column.subarray(start, end), number * count + at),
      );
      flags.set(before.flags.subarray(start, end), at);
      hashes.set(before.hashes.subarray(start * 32, end * 32), at * 32);
    }
  }
  for (let at = 0; at < count; at += 1) {
    const entry = freshAt(sorted, order[at] ?? 0);
    if (entry === undefined) continue;
    columns[at] = entry.size;
    columns[count + at] = entry.mtimeMs;
    columns[2 * count + at] = entry.ctimeMs;
    columns[3 * count + at] = entry.inode;
    flags[at] = entry.flags;
    hashes.write(entry.hash, at * 32, "hex");
  }
  bytes.set(new Uint8Array(lengths.buffer), headerBytes + 65 * count);
  bytes.write(paths, fixed);
  bytes.write(listings, fixed + pathBytes);
  bytes.write(seal(bytes.subarray(0, bytes.length - 32)), bytes.length - 32, "hex");
  return bytes;
}

/** A number of `merged`. Not asked for one that is kept: a negative index is a name, which V8 looks for slowly. */
function freshAt(sorted: readonly StateEntry[], number: number): StateEntry | undefined {
  return number < 0 ? sorted[-1 - number] : undefined;
}

function textsOf(
  before: FileIndexState | undefined,
  order: readonly number[],
  sorted: readonly StateEntry[],
): { readonly paths: string; readonly listings: string; readonly lengths: Uint32Array } {
  const paths: string[] = [];
  const listings: string[] = [];
  const lengths = new Uint32Array(order.length);
  for (let at = 0; at < order.length; at += 1) {
    const number = order[at] ?? 0;
    const entry = freshAt(sorted, number);
    paths.push(entry?.path ?? before?.paths[number] ?? "");
    const listing = entry === undefined ? keptListing(before, number) : entry.listing;
    if (listing === "") continue;
    listings.push(listing);
    lengths[at] = listing.length;
  }
  return { paths: paths.join("\0"), listings: listings.join(""), lengths };
}

function keptListing(before: FileIndexState | undefined, entry: number): string {
  if (before === undefined || ((before.flags[entry] ?? 0) & directoryFlag) === 0) return "";
  return before.listing(entry);
}

/** Both in one ascending order of paths: a kept entry by its number, the new entry i as -1 - i. */
function merged(
  paths: readonly string[],
  kept: readonly number[],
  fresh: readonly StateEntry[],
): readonly number[] {
  const order: number[] = [];
  let next = 0;
  for (const entry of kept) {
    const path = paths[entry] ?? "";
    for (let other = fresh[next]; other !== undefined && other.path < path; other = fresh[next])
      order.push(-1 - next++);
    order.push(entry);
  }
  while (next < fresh.length) order.push(-1 - next++);
  return order;
}

/** Numbers of kept entries that follow each other, as (place of the first, first, one after the last). */
function* runsOf(order: readonly number[]): Generator<readonly [number, number, number]> {
  for (let at = 0; at < order.length;) {
    const start = order[at] ?? 0;
    let length = 1;
    if (start >= 0) {
      while (order[at + length] === start + length) length += 1;
      yield [at, start, start + length];
    }
    at += length;
  }
}

/** Undefined for anything that is not exactly such a file: the index then starts empty. */
export function decodeFileIndexState(
  digestFunction: DigestFunction,
  bytes: Buffer,
  seal: Seal,
): FileIndexState | undefined {
  if (bytes.length < headerBytes + 32 || bytes.toString("latin1", 0, 8) !== magic) return undefined;
  if (bytes.readUInt8(8) !== functionIds[digestFunction]) return undefined;
  const end = bytes.length - 32;
  const id = bytes.toString("hex", end);
  if (seal(bytes.subarray(0, end)) !== id) return undefined;
  const count = bytes.readUInt32LE(12);
  const pathBytes = bytes.readUInt32LE(16);
  const fixed = headerBytes + count * (4 * 8 + 1 + 32 + 4);
  if (fixed + pathBytes + bytes.readUInt32LE(20) !== end) return undefined;
  const paths = count === 0 ? [] : bytes.toString("utf8", fixed, fixed + pathBytes).split("\0");
  if (paths.length !== count) return undefined;
  // A copy of its own: typed arrays need an aligned start, which a pooled buffer does not promise.
  const aligned = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + fixed);
  const column = (index: number): Float64Array =>
    new Float64Array(aligned, headerBytes + index * 8 * count, count);
  const listings = listingReader(bytes, count, fixed + pathBytes, end);
  return {
    id,
    paths,
    size: column(0),
    mtimeMs: column(1),
    ctimeMs: column(2),
    inode: column(3),
    flags: new Uint8Array(aligned, headerBytes + 32 * count, count),
    hashes: Buffer.from(aligned, headerBytes + 33 * count, 32 * count),
    listing: listings,
  };
}

function listingReader(
  bytes: Buffer,
  count: number,
  start: number,
  end: number,
): (entry: number) => string {
  let text: string | undefined;
  const starts = new Uint32Array(count + 1);
  return (entry) => {
    if (text === undefined) {
      text = bytes.toString("utf8", start, end);
      for (let index = 0; index < count; index += 1) {
        starts[index + 1] =
          (starts[index] ?? 0) + bytes.readUInt32LE(headerBytes + 65 * count + index * 4);
      }
    }
    return text.slice(starts[entry], starts[entry + 1]);
  };
}

export function readStateFile(path: string): Buffer | undefined {
  return readMemoFile(path, maxStateBytes);
}
