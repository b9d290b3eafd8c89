import { closeSync, fstatSync, fsyncSync, openSync, readSync } from "node:fs";
import { dirname } from "node:path";
import {
  linkInto,
  readFlags,
  removeQuietly,
  renameInto,
  syncDirectory,
  writeFully,
} from "./atomic-write.ts";
import type { Durability, DurabilityPolicy } from "./durability.ts";
import { errorCode, isAbsence } from "./system-error.ts";

/** A file that is being written in `tmp`, open for writing. */
export interface TemporaryFile {
  readonly path: string;
  readonly file: number;
}

/** Puts a temporary file in its place, and closes it. What fails leaves nothing behind. @throws system errors */
export function commitTemporary(
  { path, file }: TemporaryFile,
  target: string,
  durability: DurabilityPolicy,
): void {
  try {
    try {
      durability.beforeRename(file);
    } finally {
      closeSync(file);
    }
    renameInto(path, target);
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
  durability.afterRename(target);
}

export function discardTemporary({ path, file }: TemporaryFile): void {
  closeSync(file);
  removeQuietly(path);
}

/** Writes a whole small file in one go; durable when the policy is not `relaxed`, without waiting for a barrier. @throws system errors */
export function writeTemporary(
  temporary: TemporaryFile,
  target: string,
  bytes: Uint8Array,
  durability: Durability,
): void {
  const sync = durability !== "relaxed";
  try {
    writeFully(temporary.file, bytes, 0);
  } catch (error) {
    discardTemporary(temporary);
    throw error;
  }
  commitTemporary(temporary, target, {
    beforeRename: (file) => {
      if (sync) fsyncSync(file);
    },
    afterRename: (path) => {
      if (sync) syncDirectory(dirname(path));
    },
    barrier: () => Promise.resolve(),
  });
}

/**
 * Writes a whole small file that is not there yet: false, and nothing happened, when it is. Of many that do it at once, in any process, one has
 * done it. @throws system errors
 */
export function createWhole(
  temporary: TemporaryFile,
  target: string,
  bytes: Uint8Array,
  durability: Durability,
): boolean {
  const sync = durability !== "relaxed";
  try {
    writeFully(temporary.file, bytes, 0);
    if (sync) fsyncSync(temporary.file);
    linkInto(temporary.path, target);
    if (sync) syncDirectory(dirname(target));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    discardTemporary(temporary);
  }
}

/** A regular file of at most `maxBytes`, undefined when there is none. @throws system errors, and EFBIG */
export function readRegularFile(path: string, maxBytes: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, readFlags);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    if (stat.size > maxBytes) {
      throw Object.assign(new Error(`${path} has ${stat.size} bytes`), { code: "EFBIG" });
    }
    return readPiece(file, 0, stat.size);
  } finally {
    closeSync(file);
  }
}

/** Bytes from `start` to `end`, in `into` if they fit; fewer at the end of the file. */
export function readPiece(file: number, start: number, end: number, into?: Buffer): Buffer {
  const length = end - start;
  const bytes =
    into !== undefined && into.length >= length
      ? into.subarray(0, length)
      : Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(file, bytes, filled, bytes.length - filled, start + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
