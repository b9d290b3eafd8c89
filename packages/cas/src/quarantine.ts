import { randomBytes } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, renameSync, type Stats } from "node:fs";
import { basename } from "node:path";
import { removeQuietly } from "./atomic-write.ts";
import { errorCode } from "./system-error.ts";

/** What was found damaged is kept for a look at it, within these bounds; the oldest goes first. */
export const maxQuarantineFiles = 100;
export const maxQuarantineBytes: number = 50 * 1024 * 1024;

const quarantined = /^\d{15}-.+-[0-9a-f]{8}$/;

/** Whether a name is that of something in the quarantine: its time, its name before, and something random. */
export function isQuarantined(name: string): boolean {
  return quarantined.test(name);
}

/**
 * Moves a damaged file out of the store, so that it counts as missing. Where that is not possible it is removed;
 * where neither is (a read-only store), it stays. Never throws.
 */
export function moveToQuarantine(directory: string, path: string, nowMs: number): void {
  const stat = lstatQuietly(path);
  if (stat === undefined) return;
  if (stat.size > maxQuarantineBytes) {
    removeQuietly(path);
    return;
  }
  const name = `${Math.trunc(nowMs).toString().padStart(15, "0")}-${basename(path)}-${randomBytes(4).toString("hex")}`;
  if (!moveInto(directory, path, name)) removeQuietly(path);
  trim(directory);
}

function moveInto(directory: string, path: string, name: string): boolean {
  for (const attempt of [1, 2]) {
    try {
      renameSync(path, `${directory}/${name}`);
      return true;
    } catch (error) {
      if (errorCode(error) !== "ENOENT" || attempt === 2) return false;
      try {
        mkdirSync(directory, { mode: 0o700 });
      } catch {
        return false;
      }
    }
  }
  return false;
}

/** Names begin with the time, so that their order is their age. */
function trim(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory).filter(isQuarantined).toSorted();
  } catch {
    return;
  }
  const sizes = names.map((name) => lstatQuietly(`${directory}/${name}`)?.size ?? 0);
  let files = names.length;
  let bytes = sizes.reduce((sum, size) => sum + size, 0);
  for (const [index, name] of names.entries()) {
    if (files <= maxQuarantineFiles && bytes <= maxQuarantineBytes) return;
    removeQuietly(`${directory}/${name}`);
    files -= 1;
    bytes -= sizes[index] ?? 0;
  }
}

function lstatQuietly(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
