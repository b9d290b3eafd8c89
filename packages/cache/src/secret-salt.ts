import { randomBytes } from "node:crypto";
import { replaceFile } from "@cuenv/digest";
import { readFileSync } from "node:fs";

const saltPattern = /^[0-9a-f]{64}$/;
const salts = new Map<string, string>();

/**
 * The salt that secrets enter keys with, so that a stored key cannot be used to guess them. It is made at random on first
 * use, and lies in the cache folder, readable for its owner only; undefined: there is no folder that may be used. `makes` false: none is made, and the one that lies there is used. Without it (removed, or a folder that cannot be
 * written) tasks with secrets miss, nothing else. `CUENV_SECRET_SALT` gives machines that share results the same one.
 */
export function secretSalt(cacheDirectory: string | undefined, makes = true): string {
  const configured = process.env["CUENV_SECRET_SALT"];
  if (configured !== undefined && configured !== "") return configured;
  const name = cacheDirectory ?? "";
  const salt =
    salts.get(name) ??
    (cacheDirectory === undefined ? randomSalt() : storedSalt(cacheDirectory, makes));
  salts.set(name, salt);
  return salt;
}

function randomSalt(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Written by rename, and anew when it is no salt: half a one, of a process that was killed, would make tasks with secrets miss for ever. Of two
 * processes that make it at once, one has misses.
 */
function storedSalt(cacheDirectory: string, makes: boolean): string {
  const path = `${cacheDirectory}/v1/secret-salt`;
  const present = readSalt(path);
  if (present !== undefined) return present;
  const made = randomSalt();
  if (!makes) return made;
  replaceFile(path, made);
  return readSalt(path) ?? made;
}

function readSalt(path: string): string | undefined {
  try {
    const salt = readFileSync(path, "latin1");
    return saltPattern.test(salt) ? salt : undefined;
  } catch {
    return undefined;
  }
}
