import type { FileIndex, FileKind } from "@cuenv/digest";
import { stagingPrefix } from "./disk-layout.ts";
import { coversPath, type OutputPattern, type OutputPatterns } from "./output-pattern.ts";

/** Something on the disk that is a declared output, or a folder on the way to one. */
export interface FoundOutput {
  readonly kind: FileKind;
  /** False for a folder that holds, or may hold, things that are not outputs: it is never removed as a whole. */
  readonly exclusive: boolean;
  /** Whether it may be removed when a result does not name it. */
  readonly removable: boolean;
}

export interface FoundOutputs {
  /** By path. */
  readonly found: ReadonlyMap<string, FoundOutput>;
  /** Declared outputs of which nothing is there. */
  readonly unmatched: readonly string[];
}

interface Search {
  readonly index: FileIndex;
  readonly excludes: readonly OutputPattern[];
  readonly found: Map<string, FoundOutput>;
}

/**
 * Folders that no glob looks into: a pattern that begins with two stars would make other people's packages an output. What a pattern names before its first
 * wildcard (`node_modules/.cache/**`) is looked into, and a plain name takes all that is below it.
 */
const neverSearched = new Set([".git", "node_modules"]);

/**
 * Looks on the disk for everything that the patterns cover. Symbolic links are found, not followed.
 * @throws the system's error when a folder cannot be listed
 */
export function findOutputs(index: FileIndex, patterns: OutputPatterns): FoundOutputs {
  const search: Search = { index, excludes: patterns.excludes, found: new Map() };
  const unmatched: string[] = [];
  for (const pattern of patterns.includes) {
    const before = search.found.size;
    const matched =
      pattern.matches === undefined
        ? addTree(search, pattern.base, index.stat(pattern.base)?.kind, pattern.owned) !== "absent"
        : searchBelow(search, pattern, pattern.base, 1) || search.found.size > before;
    if (!matched) unmatched.push(pattern.source);
  }
  return { found: search.found, unmatched };
}

function isExcluded(search: Search, path: string): boolean {
  return search.excludes.some((pattern) => coversPath(pattern, path));
}

/** Adds a path with everything below it. "partial": something below it is an exception. */
function addTree(
  search: Search,
  path: string,
  kind: FileKind | undefined,
  removable: boolean,
): "absent" | "whole" | "partial" {
  if (kind === undefined) return "absent";
  if (isExcluded(search, path)) return "partial";
  let exclusive = true;
  if (kind === "directory") {
    for (const entry of search.index.list(path)) {
      const below = addTree(search, `${path}/${entry.name}`, entry.kind, removable);
      if (below === "partial") exclusive = false;
    }
  }
  search.found.set(path, { kind, exclusive, removable });
  return exclusive ? "whole" : "partial";
}

/** Whether something matched at or below `directory`. */
function searchBelow(
  search: Search,
  pattern: OutputPattern,
  directory: string,
  depth: number,
): boolean {
  if (depth > pattern.maxDepth) return false;
  const prefix = directory === "" ? "" : `${directory}/`;
  const start = pattern.base === "" ? 0 : pattern.base.length + 1;
  let matched = false;
  for (const entry of search.index.list(directory)) {
    const path = `${prefix}${entry.name}`;
    if (isExcluded(search, path) || path.startsWith(stagingPrefix)) continue;
    if (pattern.matches?.(path.slice(start)) === true) {
      addTree(search, path, entry.kind, pattern.owned);
      matched = true;
    } else if (entry.kind === "directory" && !neverSearched.has(entry.name)) {
      matched = searchBelow(search, pattern, path, depth + 1) || matched;
    }
  }
  // A folder on the way is kept with the result, so that it is there again; it is not the task's own.
  if (
    matched &&
    directory !== "" &&
    (pattern.owned || directory !== pattern.base) &&
    !search.found.has(directory)
  ) {
    search.found.set(directory, { kind: "directory", exclusive: false, removable: false });
  }
  return matched;
}
