import { lstatSync, type Stats } from "node:fs";
import { kindOf } from "./directory-listing.ts";
import type { FileStat } from "./file-index.ts";
import { isAbsence, isRefused } from "./own-file.ts";
import { isExecutable } from "./recorded-files.ts";

const quietly = { throwIfNoEntry: false } as const;

/** Undefined: nothing is there. @throws the system's error when it does not say whether something is there */
export function lstatOrUndefined(path: string): Stats | undefined {
  try {
    return lstatSync(path, quietly);
  } catch (error) {
    // EACCES and EPERM, on a folder above: nobody who runs as we do finds anything there. All else (EIO, ENOTCONN of a file system that hangs) is no answer.
    if (isAbsence(error) || isRefused(error)) return undefined;
    throw error;
  }
}

export function toFileStat(stat: Stats): FileStat {
  const kind = kindOf(stat);
  return {
    kind,
    sizeBytes: stat.size,
    mtimeMs: stat.mtimeMs,
    ctimeMs: stat.ctimeMs,
    inode: stat.ino,
    executable: isExecutable(stat),
  };
}
