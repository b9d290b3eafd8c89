import { CuenvError } from "@cuenv/errors";
import { generateKeyPair, type KeyPair } from "./ed25519.ts";
import { formatKeyFile } from "./key-file.ts";
import { readKeyFile } from "./machine-key.ts";
import { type WrittenFile, writePrivateFile } from "./write-private-file.ts";

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
 * Writes a key. False: with `keep`, there was one.
 * @throws {CuenvError} TRUST_KEY_INVALID, TRUST_KEY_EXPOSED
 */
export function writeKeyFile(path: string, pair: KeyPair, existing: "keep" | "replace"): boolean {
  const written = tryWrite(path, formatKeyFile(pair), existing);
  if (written.kind !== "exposed") return written.kind === "written";
  throw new CuenvError("TRUST_KEY_EXPOSED", `cannot make key file ${path}: ${written.problem}`, {
    hint: "Only you may write to it and to the folders above it; or name another with XDG_STATE_HOME.",
    location: { file: path },
  });
}

function tryWrite(path: string, text: string, existing: "keep" | "replace"): WrittenFile {
  try {
    return writePrivateFile(path, text, existing);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new CuenvError("TRUST_KEY_INVALID", `cannot make key file ${path}: ${code}`, {
      cause: error,
      hint: "Name a folder that can be written with XDG_STATE_HOME, or give the key in CUENV_SIGNING_KEY.",
      location: { file: path },
    });
  }
}
