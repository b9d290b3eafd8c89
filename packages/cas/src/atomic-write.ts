import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "@cuenv/digest";
import { errorCode } from "./system-error.ts";

const noFollow = constants.O_NOFOLLOW ?? 0;

export const createFlags: number =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow;

/**
 * Writes all of `bytes` at `position`. Positions are always given: the call is then pwrite64, which nothing but files uses,
 * so that a test can make exactly these calls fail.
 */
export function writeFully(file: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length;) {
    const length = Math.min(bytes.length - written, maxWriteBytes);
    written += writeSync(file, bytes, written, length, position + written);
  }
}

/** One write call takes less than 2 GiB on every system. */
const maxWriteBytes = 64 * 1024 * 1024;

const zeros = Buffer.alloc(1024 * 1024);

/**
 * As {@link writeFully}, but leaves a hole for a chunk of nothing but zeros: a sparse output of 5 GiB stays one. Gives whether there is one at the end: who writes nothing more then has to see to
 * the size. With `ftruncate`, if the bytes are verified whenever they are read, as those of a store: ext4 writes such a size down at once, and after a power cut the file has that, and nothing in it. Else with
 * {@link endHole}.
 */
export function writeSparsely(file: number, bytes: Uint8Array, position: number): boolean {
  let isHole = false;
  for (let start = 0; start < bytes.length; start += zeros.length) {
    const chunk = bytes.subarray(start, start + zeros.length);
    isHole = chunk.length === zeros.length && zeros.equals(chunk);
    if (!isHole) writeFully(file, chunk, position + start);
  }
  return isHole;
}

/** Gives a file that ends in a hole its size by writing the last byte. */
export function endHole(file: number, sizeBytes: number): void {
  writeFully(file, zeros.subarray(0, 1), sizeBytes - 1);
}

/** How often a folder that somebody removes again and again is made anew. */
const maxAttempts = 32;

/**
 * Renames into the store. The target's folder is made when it is missing, and again when a concurrent `clear` removes it in between.
 */
export function renameInto(temporary: string, target: string): void {
  withFolder(target, () => renameSync(temporary, target));
}

/** As {@link renameInto}, but only where there is nothing yet. @throws EEXIST otherwise */
export function linkInto(temporary: string, target: string): void {
  withFolder(target, () => linkSync(temporary, target));
}

/**
 * Does a step that needs the folder of `target`, which is made when it is missing. A concurrent `clear` may remove a folder again before the
 * step, and one above it while it is made: making them is part of the attempt. @throws what the step does, the last time
 */
export function withFolder(target: string, step: () => void): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (attempt > 1) makeFolders(dirname(target));
      step();
      return;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" || attempt === maxAttempts) throw error;
    }
  }
}

export function removeQuietly(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    // Gone already, or not ours to remove: a sweep looks at it again.
    return false;
  }
}

/** Makes a folder's names durable. File systems that cannot (EINVAL, ENOTSUP, EPERM, EISDIR on Windows) are left alone. */
export function syncDirectory(path: string): void {
  let directory: number;
  try {
    directory = openSync(path, constants.O_RDONLY);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    if (process.platform === "win32") return;
    throw error;
  }
  try {
    fsyncSync(directory);
  } catch (error) {
    const code = errorCode(error);
    if (code !== "EINVAL" && code !== "ENOTSUP" && code !== "EPERM" && code !== "EISDIR")
      throw error;
  } finally {
    closeSync(directory);
  }
}
