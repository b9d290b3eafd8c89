import { randomBytes } from "node:crypto";
import { closeSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "./make-folders.ts";

/**
 * Writes a file that only speeds things up: under a temporary name beside it (`<name>.<random>.tmp`), then by rename, so that a reader
 * sees the old file or the new one. Folders above it are made (mode 0700), the file is its owner's only (0600). Not made durable.
 * Says whether it could; never throws.
 */
export function replaceFile(path: string, content: string | Uint8Array): boolean {
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeFolders(dirname(path));
    const file = openSync(temporary, "wx", 0o600);
    try {
      for (let written = 0; written < bytes.length;) {
        written += writeSync(file, bytes, written, bytes.length - written, written);
      }
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
    return true;
  } catch {
    removeQuietly(temporary);
    return false;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was never made, or is already gone.
  }
}
