import { hkdfSync } from "node:crypto";
import { CuenvError } from "@cuenv/errors";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeyPair } from "./ed25519.ts";
import { maxKeyFileBytes, parseKeyFile } from "./key-file.ts";
import { privacyHint, privacyProblem } from "./private-path.ts";

/** The key of this machine and user, in the folder of cuenv's state. */
export function machineKeyPath(stateDirectory: string): string {
  return join(stateDirectory, "machine.key");
}

/**
 * Reads a private key from a file that only we can read; undefined when there is none.
 * @throws {CuenvError} TRUST_KEY_INVALID, TRUST_KEY_EXPOSED
 */
export function readKeyFile(path: string): KeyPair | undefined {
  let text: string;
  try {
    const problem = privacyProblem(path, "secret");
    if (problem !== undefined) {
      throw new CuenvError("TRUST_KEY_EXPOSED", `cannot use key file ${path}: ${problem}`, {
        hint: privacyHint(path),
        location: { file: path },
      });
    }
    text = readFileSync(path, "latin1").slice(0, maxKeyFileBytes);
  } catch (error) {
    if (error instanceof CuenvError) throw error;
    const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new CuenvError("TRUST_KEY_INVALID", `cannot read key file ${path}: ${code}`, {
      cause: error,
      hint: "Name another folder with XDG_STATE_HOME, or give the key in CUENV_SIGNING_KEY.",
      location: { file: path },
    });
  }
  return parseKeyFile(text, `key file ${path}`, { file: path });
}

/** A secret that only who has the key has, for one purpose; it says nothing of the key. */
export function derivedSecret(pair: KeyPair, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", pair.seed, "", `cuenv ${purpose}`, 32));
}
