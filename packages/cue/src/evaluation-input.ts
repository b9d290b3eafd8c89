import { createHash } from "node:crypto";
import {
  type Stats,
  closeSync,
  fstatSync,
  openSync,
  readFileSync,
  readdirSync,
  statSync,
} from "node:fs";
import type { EvaluationInput, InputStamp } from "./evaluation.ts";

// On the way of every warm run: nothing but node:fs and node:crypto.

/** The grain of the coarsest clock among file systems in use (FAT and HFS+ have 1 to 2 s). */
export const racyMs = 2000;

export const hashOf = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

export function stampOf(stats: Stats, readAtMs: number): InputStamp {
  return [stats.size, stats.mtimeMs, stats.ctimeMs, stats.ino, readAtMs];
}

/** Whether a later stat that equals the stamp proves equal content. */
export function isSettled([, mtimeMs, ctimeMs, , readAtMs]: InputStamp): boolean {
  return readAtMs - Math.max(mtimeMs, ctimeMs) >= racyMs;
}

function isUnchanged(stamp: InputStamp | undefined, stats: Stats): boolean {
  if (stamp === undefined || !isSettled(stamp)) return false;
  const [size, mtimeMs, ctimeMs, inode] = stamp;
  return (
    stats.size === size &&
    stats.mtimeMs === mtimeMs &&
    stats.ctimeMs === ctimeMs &&
    stats.ino === inode
  );
}

/** A folder's entries as the evaluator sees them: links count as what they lead to, other kinds not at all. */
export interface Listing {
  /** Lines of "f name" and "d name", sorted. */
  readonly text: string;
  /** A link in it can change its kind without the folder changing. */
  readonly hasLinks: boolean;
}

export function listDirectory(path: string, entries: "cue" | "all"): Listing {
  const lines: string[] = [];
  let hasLinks = false;
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    const { name } = entry;
    // A line break in a name would be another entry; no CUE package needs one.
    if (name.includes("\n")) continue;
    if (entries === "cue" && !name.endsWith(".cue") && name !== "cue.mod") continue;
    let kind: Pick<Stats, "isFile" | "isDirectory"> | undefined = entry;
    if (entry.isSymbolicLink()) {
      hasLinks = true;
      kind = statSync(`${path}/${name}`, { throwIfNoEntry: false });
    }
    if (kind?.isFile()) lines.push(`f ${name}\n`);
    else if (kind?.isDirectory()) lines.push(`d ${name}\n`);
  }
  return { text: lines.toSorted().join(""), hasLinks };
}

/** Reads a file with the stamp of exactly what was read. Throws what node:fs throws. */
export function readStamped(path: string): { bytes: Uint8Array; stamp: InputStamp; stats: Stats } {
  const readAtMs = Date.now();
  const file = openSync(path, "r");
  try {
    const stats = fstatSync(file);
    return { bytes: readFileSync(file), stamp: stampOf(stats, readAtMs), stats };
  } finally {
    closeSync(file);
  }
}

/**
 * The input as it is now, if that is what it was; undefined when it differs. The result is the same object when the
 * stat alone proved it, else one with a fresh stamp.
 */
export function revalidate(input: EvaluationInput): EvaluationInput | undefined {
  const readAtMs = Date.now();
  let stats: Stats | undefined;
  try {
    stats = statSync(input.path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
  if (input.kind === "missing") return stats === undefined ? input : undefined;
  if (stats === undefined) return undefined;
  if (input.kind === "present")
    return stats.isDirectory() === input.isDirectory ? input : undefined;
  if (stats.isDirectory() !== (input.kind === "directory")) return undefined;
  if (isUnchanged(input.stamp, stats)) return input;
  try {
    if (input.kind === "directory") {
      const { text, hasLinks } = listDirectory(input.path, input.entries);
      if (hashOf(text) !== input.hash) return undefined;
      return { ...input, stamp: hasLinks ? undefined : stampOf(stats, readAtMs) };
    }
    // A file that grew to something huge has changed: no need to read it.
    if (input.stamp !== undefined && stats.size !== input.stamp[0]) return undefined;
    const { bytes, stamp } = readStamped(input.path);
    return hashOf(bytes) === input.hash ? { ...input, stamp } : undefined;
  } catch {
    return undefined;
  }
}
