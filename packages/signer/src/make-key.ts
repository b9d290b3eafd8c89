import { randomBytes } from "node:crypto";
import { CuenvError } from "@cuenv/errors";
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { generateKeyPair, type KeyPair } from "./ed25519.ts";
import { formatKeyFile } from "./key-file.ts";
import { readKeyFile } from "./machine-key.ts";
import { folderProblem } from "./private-path.ts";

/**
 * The key of a file, made when it is not there. Of two processes that make it at once one wins, and both get its key.
 * @throws {CuenvError} TRUST_KEY_INVALID, TRUST_KEY_EXPOSED
 */
export function readOrMakeKey(path: string): KeyPair {
  const present = readKeyFile(path);
  if (present !== undefined) return present;
  const made = generateKeyPair();
  if (writeKeyFile(path, made, "keep")) return made;
  const winner = readKeyFile(path);
  if (winner !== undefined) return winner;
  throw new CuenvError("TRUST_KEY_INVALID", `cannot make key file ${path}: it comes and goes`);
}

/**
 * Writes a key whole and durable, or not at all: half of one would be of no use for ever. False: with `keep`, there was one.
 * @throws {CuenvError} TRUST_KEY_INVALID, TRUST_KEY_EXPOSED
 */
export function writeKeyFile(path: string, pair: KeyPair, existing: "keep" | "replace"): boolean {
  const folder = dirname(path);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const problem = folderProblem(folder);
    if (problem !== undefined) {
      throw new CuenvError("TRUST_KEY_EXPOSED", `cannot make key file ${path}: ${problem}`, {
        hint: "Only you may write to it and to the folders above it; or name another with XDG_STATE_HOME.",
        location: { file: path },
      });
    }
    writeDurably(temporary, formatKeyFile(pair));
    return place(temporary, path, existing);
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CuenvError("TRUST_KEY_INVALID", `cannot make key file ${path}: ${code}`, {
      cause: error,
      hint: "Name a folder that can be written with XDG_STATE_HOME, or give the key in CUENV_SIGNING_KEY.",
      location: { file: path },
    });
  } finally {
    removeQuietly(temporary);
  }
}

function writeDurably(path: string, text: string): void {
  const file = openSync(path, "wx", 0o600);
  try {
    writeSync(file, text);
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
