import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import type { Digest, DigestFunction } from "./digest.ts";
import { createHasher, hashBytes } from "./hasher.ts";

/** One read buffer for the process: `readFileSync` allocates one per file and takes twice as long for small files. */
const bufferBytes = 1024 * 1024;
let buffer: Buffer | undefined;

/** O_NONBLOCK: opening a FIFO that took the file's place must not hang. */
const openFlags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

export interface HashedFile {
  readonly digest: Digest;
  /** `fstat` before the first byte was read and after the last one. */
  readonly before: Stats;
  readonly after: Stats;
}

/**
 * Hashes a file of any size in pieces of 1 MiB. The size in the digest is that of the bytes read.
 * @throws the file system's error, or one with code EINVAL when it is not a regular file.
 */
export function hashFile(digestFunction: DigestFunction, path: string): HashedFile {
  const file = openSync(path, openFlags);
  try {
    const before = fstatSync(file);
    if (!before.isFile()) throw notRegular(path);
    const digest = hashDescriptor(digestFunction, file, before.size);
    return { digest, before, after: fstatSync(file) };
  } finally {
    closeSync(file);
  }
}

/**
 * As {@link hashFile}, while others have their turns: whenever `pause` gives a promise after a piece, it is awaited.
 * @throws as that, and what `pause` throws
 */
export async function hashFileInTurns(
  digestFunction: DigestFunction,
  path: string,
  pause: () => Promise<void> | undefined,
): Promise<Digest> {
  const file = openSync(path, openFlags);
  try {
    if (!fstatSync(file).isFile()) throw notRegular(path);
    // Not that of the process: others read into it in their turns.
    const piece = Buffer.allocUnsafeSlow(bufferBytes);
    const hasher = createHasher(digestFunction);
    let sizeBytes = 0;
    for (;;) {
      const length = readFully(file, piece, sizeBytes);
      if (length === 0) return { hash: hasher.digestHex(), sizeBytes };
      hasher.update(piece.subarray(0, length));
      sizeBytes += length;
      const others = pause();
      if (others !== undefined) await others;
    }
  } finally {
    closeSync(file);
  }
}

function notRegular(path: string): Error {
  const reason = `cannot hash ${path}: not a regular file`;
  return Object.assign(new Error(reason), { code: "EINVAL" });
}

function hashDescriptor(digestFunction: DigestFunction, file: number, size: number): Digest {
  buffer ??= Buffer.allocUnsafeSlow(bufferBytes);
  let length = readFully(file, buffer, 0, size);
  if (length < bufferBytes) return hashBytes(digestFunction, buffer.subarray(0, length));
  const hasher = createHasher(digestFunction);
  let sizeBytes = 0;
  while (length > 0) {
    hasher.update(buffer.subarray(0, length));
    sizeBytes += length;
    length = readFully(file, buffer, sizeBytes);
  }
  return { hash: hasher.digestHex(), sizeBytes };
}

/**
 * Fills the target, or reads to the file's end. `size` saves the read that finds the end: whoever asks compares the stat afterwards. What is 0 is
 * not believed: files below /proc have bytes all the same.
 */
function readFully(file: number, target: Buffer, position: number, size?: number): number {
  let filled = 0;
  while (filled < target.length) {
    const count = readSync(file, target, filled, target.length - filled, position + filled);
    if (count === 0 || filled + count === size) return filled + count;
    filled += count;
  }
  return filled;
}
