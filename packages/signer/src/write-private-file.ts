import { randomBytes } from "node:crypto";
import {
  closeSync,
  fsyncSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { makeFolders } from "@cuenv/digest";
import { folderProblem } from "./private-path.ts";

export type WrittenFile =
  | { readonly kind: "written" }
  /** With `keep`: there is one already. */
  | { readonly kind: "present" }
  /** Somebody else could read it, or put another in its place. */
  | { readonly kind: "exposed"; readonly problem: string };

/**
 * Writes a small file for its owner only (0600, in folders made with 0700), whole and durable or not at all: half a key would be of no use for
 * ever. @throws system errors
 */
export function writePrivateFile(
  path: string,
  text: string,
  existing: "keep" | "replace",
): WrittenFile {
  const folder = dirname(path);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    makeFolders(folder);
    const problem = folderProblem(folder);
    if (problem !== undefined) return { kind: "exposed", problem };
    writeDurably(temporary, text);
    return { kind: place(temporary, path, existing) ? "written" : "present" };
  } finally {
    removeQuietly(temporary);
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function place(temporary: string, path: string, existing: "keep" | "replace"): boolean {
  if (existing === "replace") {
    renameSync(temporary, path);
    return true;
  }
  try {
    // A link fails where a file is; a rename would replace it.
    linkSync(temporary, path);
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP" && code !== "ENOSYS") throw error;
    // No hard links here: of two that make it at once the last wins, and what the first signed is a miss.
    renameSync(temporary, path);
    return true;
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It was renamed, or never made.
  }
}
