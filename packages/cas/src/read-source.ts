import { type Digest, ownFileReadFlags } from "@cuenv/digest";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type BlobSource, maxSyncReadBytes } from "./blob-store.ts";
import { giveBack, scratchBuffer, takeBuffer } from "./scratch-buffer.ts";
import { piecesPerTurn } from "./take-turns.ts";

/** Pieces in which a file is read (1 MiB). */
const pieceBytes = 1024 * 1024;
const smallestPieceBytes = 512;

/** A source that was opened; closed by whoever opened it. */
export interface OpenSource {
  readonly bytes: Uint8Array | undefined;
  readonly chunks: AsyncIterator<Uint8Array>;
  close(): Promise<void>;
}

/**
 * @throws the system's error when a path cannot be opened, or one with code EINVAL when it is not a regular file. A symbolic link is not followed (ELOOP).
 */
export function openSource(source: BlobSource): OpenSource {
  if (source instanceof Uint8Array) {
    return { bytes: source, chunks: single(source), close: () => Promise.resolve() };
  }
  if (!("path" in source)) {
    const chunks = source[Symbol.asyncIterator]();
    return {
      bytes: undefined,
      chunks,
      close: async () => {
        await chunks.return?.();
      },
    };
  }
  const { file, sizeBytes } = openFile(source.path);
  return {
    bytes: undefined,
    chunks: piecesOf(file, sizeBytes),
    close: () => {
      closeSync(file);
      return Promise.resolve();
    },
  };
}

/**
 * All bytes of a small file, in the scratch buffer: to be used before anything else runs. Undefined when it is larger than what is read at once.
 * @throws as {@link openSource}
 */
export function readSmallFile(path: string): Uint8Array | undefined {
  const { file, sizeBytes } = openFile(path);
  try {
    if (sizeBytes > maxSyncReadBytes) return undefined;
    const bytes = scratchBuffer();
    let filled = 0;
    for (;;) {
      const count = readSync(file, bytes, filled, bytes.length - filled, filled);
      if (count === 0) return bytes.subarray(0, filled);
      filled += count;
      if (filled === bytes.length) return undefined;
    }
  } finally {
    closeSync(file);
  }
}

interface OpenFile {
  readonly file: number;
  readonly sizeBytes: number;
}

function openFile(path: string): OpenFile {
  const file = openSync(path, ownFileReadFlags);
  const stat = fstatSync(file);
  if (stat.isFile()) return { file, sizeBytes: stat.size };
  closeSync(file);
  const reason = `cannot read ${path}: not a regular file`;
  throw Object.assign(new Error(reason), { code: "EINVAL" });
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** Reads to the end, wherever that is by then: `sizeBytes` only sizes the buffers. */
async function* piecesOf(file: number, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let position = 0, turns = 1; ; turns += 1) {
    const rest = Math.max(sizeBytes - position, smallestPieceBytes);
    const piece = Buffer.allocUnsafe(Math.min(rest, pieceBytes));
    const count = readSync(file, piece, 0, piece.length, position);
    if (count === 0) return;
    position += count;
    yield piece.subarray(0, count);
    if (turns % piecesPerTurn === 0) await setImmediate();
  }
}

/** `release`: to be called when the bytes are used, which are somebody else's then. */
export type SourceContent = { release(): void } & (
  | { readonly complete: true; readonly bytes: Uint8Array }
  | { readonly complete: false; readonly chunks: AsyncIterable<Uint8Array> }
);

/** Reads up to {@link maxSyncReadBytes}: all of a small source, or the beginning of a large one in front of its rest. */
export async function readSource(
  source: OpenSource,
  expected: Digest | undefined,
  signal: AbortSignal | undefined,
): Promise<SourceContent> {
  let buffer: Buffer | undefined;
  const release = (): void => {
    giveBack(buffer);
    buffer = undefined;
  };
  if (source.bytes !== undefined) return { complete: true, bytes: source.bytes, release };
  let first: Uint8Array | undefined;
  let size = 0;
  try {
    for (;;) {
      signal?.throwIfAborted();
      // More than was announced will be refused; no need to write it down first.
      const isOver = expected !== undefined && size > expected.sizeBytes;
      const next = isOver ? undefined : await source.chunks.next();
      const head = buffer?.subarray(0, size) ?? first;
      if (next === undefined || next.done === true)
        return { complete: true, bytes: head ?? new Uint8Array(), release };
      const chunk = next.value;
      const isSmall = size + chunk.length <= maxSyncReadBytes;
      if (first === undefined && isSmall) first = chunk;
      else {
        if (buffer === undefined && isSmall) {
          buffer = takeBuffer();
          if (first !== undefined) buffer?.set(first);
        }
        if (buffer === undefined || !isSmall)
          return {
            complete: false,
            chunks: headAndRest(head, chunk, source.chunks, release),
            release,
          };
        buffer.set(chunk, size);
      }
      size += chunk.length;
    }
  } catch (error) {
    release();
    throw error;
  }
}

async function* headAndRest(
  head: Uint8Array | undefined,
  chunk: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
  onHeadUsed: () => void,
): AsyncGenerator<Uint8Array> {
  if (head !== undefined) yield head;
  onHeadUsed();
  yield chunk;
  for (;;) {
    const next = await rest.next();
    if (next.done === true) return;
    yield next.value;
  }
}
