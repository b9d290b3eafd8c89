import { closeSync, fsyncSync, lstatSync } from "node:fs";
import { dirname } from "node:path";
import { linkInto, removeQuietly, renameInto, syncDirectory, writeFully } from "./atomic-write.ts";
import type { Durability, DurabilityPolicy } from "./durability.ts";
import { errorCode } from "./system-error.ts";

/** A file that is being written in `tmp`, open for writing. */
export interface TemporaryFile {
  readonly path: string;
  readonly file: number;
}

/** How a file gets its place. */
export interface Placement {
  readonly policy: DurabilityPolicy;
  /** Moves away a folder that lies there: a rename replaces everything else, and with it no result of that name could ever be kept again. */
  readonly displace: (target: string) => void;
}

/** Puts a temporary file in its place, and closes it. What fails leaves nothing behind. @throws system errors */
export function commitTemporary(
  { path, file }: TemporaryFile,
  target: string,
  { policy, displace }: Placement,
): void {
  try {
    try {
      policy.beforeRename(file);
    } finally {
      closeSync(file);
    }
    try {
      renameInto(path, target);
    } catch (error) {
      if (errorCode(error) !== "EISDIR") throw error;
      displace(target);
      renameInto(path, target);
    }
  } catch (error) {
    removeQuietly(path);
    throw error;
  }
  policy.afterRename(target);
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
  displace: Placement["displace"],
): void {
  const sync = durability !== "relaxed";
  try {
    writeFully(temporary.file, bytes, 0);
  } catch (error) {
    discardTemporary(temporary);
    throw error;
  }
  const policy: DurabilityPolicy = {
    beforeRename: (file) => {
      if (sync) fsyncSync(file);
    },
    afterRename: (path) => {
      if (sync) syncDirectory(dirname(path));
    },
    barrier: () => Promise.resolve(),
  };
  commitTemporary(temporary, target, { policy, displace });
}

/**
 * Writes a whole small file that is not there yet: false, and nothing happened, when it is. Of many that do it at once, in any process, one has
 * done it. What lies there and is no file is moved away. @throws system errors
 */
export function createWhole(
  temporary: TemporaryFile,
  target: string,
  bytes: Uint8Array,
  durability: Durability,
  displace: Placement["displace"],
): boolean {
  const sync = durability !== "relaxed";
  try {
    writeFully(temporary.file, bytes, 0);
    if (sync) fsyncSync(temporary.file);
    try {
      linkInto(temporary.path, target);
    } catch (error) {
      if (errorCode(error) !== "EEXIST" || isFile(target)) throw error;
      displace(target);
      linkInto(temporary.path, target);
    }
    if (sync) syncDirectory(dirname(target));
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    discardTemporary(temporary);
  }
}

/** False also where nothing is. */
function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
