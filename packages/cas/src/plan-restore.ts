import { equalDigests, type FileIndex } from "@cuenv/digest";
import { findOutputs, type FoundOutputs } from "./find-outputs.ts";
import type { OutputEntry } from "./output-entry.ts";
import type { OutputPatterns } from "./output-pattern.ts";

/** What has to change on the disk so that the declared outputs are those of a result. */
export interface RestorePlan {
  /** Entries that are not there or are something else, in the order of the list. */
  readonly writes: readonly OutputEntry[];
  /** Outputs that the result does not have; of a folder that goes as a whole, only the folder. */
  readonly stale: readonly string[];
  readonly unchangedFiles: number;
  readonly found: FoundOutputs;
}

/** Of a plan, what would be another way on the disk. */
export interface RestoreChanges extends Pick<RestorePlan, "writes" | "stale"> {
  /** Something in the workspace (a link above an output) keeps it from being carried out. */
  readonly isBlocked: boolean;
}

/**
 * Compares with the disk; in the case of nothing to do that is one `lstat` per entry and a remembered listing per folder.
 * @throws the system's error when a folder cannot be listed
 */
export function planRestore(
  index: FileIndex,
  patterns: OutputPatterns,
  entries: readonly OutputEntry[],
): RestorePlan {
  const writes: OutputEntry[] = [];
  const kept = new Set<string>();
  const remade = new Set<string>();
  let unchangedFiles = 0;
  for (const entry of entries) {
    kept.add(entry.path);
    const above = parentOf(entry.path);
    if (!remade.has(above) && isInPlace(index, entry)) {
      if (entry.kind === "file") unchangedFiles += 1;
      continue;
    }
    writes.push(entry);
    remade.add(entry.path);
  }
  const found = findOutputs(index, patterns);
  return { writes, stale: stalePaths(found, kept), unchangedFiles, found };
}

/** The folder of a path that is relative to the workspace root, "" for the root. */
export function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Whether an entry is on the disk as it is said to be. */
export function isInPlace(index: FileIndex, entry: OutputEntry): boolean {
  const stat = index.stat(entry.path);
  if (stat === undefined || stat.kind !== entry.kind) return false;
  try {
    switch (entry.kind) {
      case "directory":
        return true;
      case "symlink":
        return index.readLink(entry.path) === entry.target;
      case "file":
        return (
          stat.executable === entry.executable &&
          stat.sizeBytes === entry.digest.sizeBytes &&
          equalDigests(index.digest(entry.path), entry.digest)
        );
    }
  } catch {
    // It cannot be read, or changes while it is: then it is put in place anew.
    return false;
  }
}

function stalePaths({ found }: FoundOutputs, kept: ReadonlySet<string>): string[] {
  const stale = new Set<string>();
  // Folders come before what is in them, so that a folder that goes takes its content with it.
  for (const path of [...found.keys()].toSorted()) {
    const output = found.get(path);
    if (output === undefined || kept.has(path) || !output.removable || !output.exclusive) continue;
    if (!isBelowAny(path, stale)) stale.add(path);
  }
  return [...stale];
}

function isBelowAny(path: string, folders: ReadonlySet<string>): boolean {
  for (let above = parentOf(path); above !== ""; above = parentOf(above)) {
    if (folders.has(above)) return true;
  }
  return false;
}
