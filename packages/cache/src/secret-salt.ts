import { randomBytes } from "node:crypto";
import { readMemoFile, replaceFile } from "@cuenv/digest";
import { linkSync, lstatSync, renameSync, unlinkSync } from "node:fs";

const saltLength = 64;
const saltPattern = /^[0-9a-f]{64}$/;
const salts = new Map<string, string>();

/**
 * The salt that secrets enter keys with, so that a stored key cannot be used to guess them. It is made at random on first
 * use, and lies in the cache folder, readable for its owner only; undefined: there is no folder that may be used. `makes` false: none is made, and the one that lies there is used. Without it (removed, or a folder that cannot be
 * written) tasks with secrets miss, nothing else. `onOccupied` is told the path when a folder lies there, so that no run finds what another one stored. `CUENV_SECRET_SALT` gives machines that share results the same one.
 */
export function secretSalt(
  cacheDirectory: string | undefined,
  makes = true,
  onOccupied?: (path: string) => void,
): string {
  const configured = process.env["CUENV_SECRET_SALT"];
  if (configured !== undefined && configured !== "") return configured;
  const name = cacheDirectory ?? "";
  const salt =
    salts.get(name) ??
    (cacheDirectory === undefined ? randomSalt() : storedSalt(cacheDirectory, makes, onOccupied));
  salts.set(name, salt);
  return salt;
}

function randomSalt(): string {
  return randomBytes(32).toString("hex");
}

/**
 * Written by link, so that of processes that make it at once all have the first one's: their keys are the same, and none runs
 * what another one runs. Anew when it is no salt: half a one, after a crash, would make tasks with secrets miss for ever.
 */
function storedSalt(
  cacheDirectory: string,
  makes: boolean,
  onOccupied: ((path: string) => void) | undefined,
): string {
  const path = `${cacheDirectory}/v1/secret-salt`;
  const present = readSalt(path);
  if (present !== undefined) return present;
  const made = randomSalt();
  if (isFolder(path)) {
    onOccupied?.(path);
    return made;
  }
  if (!makes) return made;
  const candidate = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  if (!replaceFile(candidate, made)) return made;
  try {
    linkSync(candidate, path);
  } catch {
    // Another process was quicker; or what lies there is no salt, or the file system has no links.
    if (readSalt(path) === undefined) replace(candidate, path);
  }
  remove(candidate);
  return readSalt(path) ?? made;
}

function isFolder(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

function replace(candidate: string, path: string): void {
  try {
    renameSync(candidate, path);
  } catch {
    // The folder cannot be written any more: the salt is this process's.
  }
}

function remove(candidate: string): void {
  try {
    unlinkSync(candidate);
  } catch {
    // It was renamed.
  }
}

function readSalt(path: string): string | undefined {
  const salt = readMemoFile(path, saltLength)?.toString("latin1");
  return salt !== undefined && saltPattern.test(salt) ? salt : undefined;
}
