import { isAbsence, isRacy } from "@cuenv/digest";
import { type BigIntStats, lstatSync } from "node:fs";

/**
 * A text that is another one whenever the bytes of a regular file are others: its inode, size, mtime and ctime. Undefined when there is no such
 * file, or when it is so young that it could be changed once more without any of these changing. @throws system errors
 */
export function fileVersion(path: string): string | undefined {
  const lookedAtMs = Date.now();
  const stat = lstatOrAbsent(path);
  if (stat?.isFile() !== true) return undefined;
  const { ino, size, mtimeNs, ctimeNs } = stat;
  const times = { mtimeMs: Number(mtimeNs) / 1e6, ctimeMs: Number(ctimeNs) / 1e6 };
  return isRacy(times, lookedAtMs) ? undefined : `${ino}-${size}-${mtimeNs}-${ctimeNs}`;
}

/** What cannot be there, because a file or a loop is in the place of a folder, is not there: as for who reads it. */
function lstatOrAbsent(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
