import type { FileIndex } from "@cuenv/digest";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type IgnoreFile, parseIgnoreFile } from "./ignore-file.ts";

/**
 * What git would ignore, found without git: the `.gitignore` files from the workspace root down to the file, the
 * deepest that says something wins. Beyond them, `node_modules` is ignored (a `.gitignore` may take that back)
 * and `.git` always. Not asked: `.git/info/exclude` and the user's own excludes, which differ between machines.
 */
export interface IgnoreRules {
  /** Whether the path itself is ignored. Whoever walks down remembers what is ignored above: nothing below it comes back. */
  ignores(path: string, isDirectory: boolean): boolean;
  /** Tells what a listing showed, which saves a look for the file. */
  listed(directory: string, hasIgnoreFile: boolean): void;
}

/** A `.gitignore` beyond this is not one (bytes). */
const maxIgnoreFileBytes = 4 * 1024 * 1024;
export const ignoreFileName = ".gitignore";

/** By hash of the file: equal files at several places are compiled once, and a changed one anew. */
const compiled = new Map<string, IgnoreFile>();

/** @param onIgnoreFile called once with each path at which a `.gitignore` was looked for */
export function createIgnoreRules(
  index: FileIndex,
  onIgnoreFile: (path: string) => void,
): IgnoreRules {
  const byDirectory = new Map<string, IgnoreFile | undefined>();
  const rulesOf = (directory: string): IgnoreFile | undefined => {
    if (!byDirectory.has(directory)) {
      const path = directory === "" ? ignoreFileName : `${directory}/${ignoreFileName}`;
      onIgnoreFile(path);
      byDirectory.set(directory, load(index, path));
    }
    return byDirectory.get(directory);
  };
  return {
    ignores: (path, isDirectory) => ignores(rulesOf, path, isDirectory),
    listed: (directory, hasIgnoreFile) => {
      if (!hasIgnoreFile && !byDirectory.has(directory)) byDirectory.set(directory, undefined);
    },
  };
}

function load(index: FileIndex, path: string): IgnoreFile | undefined {
  const stat = index.stat(path);
  // git does not follow a `.gitignore` that is a symbolic link either.
  if (stat?.kind !== "file" || stat.sizeBytes > maxIgnoreFileBytes) return undefined;
  const { hash } = index.digest(path);
  let file = compiled.get(hash);
  if (file === undefined) {
    file = parseIgnoreFile(readFileSync(join(index.root, path), "utf8"));
    compiled.set(hash, file);
  }
  return file;
}

function ignores(
  rulesOf: (directory: string) => IgnoreFile | undefined,
  path: string,
  isDirectory: boolean,
): boolean {
  const segments = path.split("/");
  const name = segments.at(-1);
  if (name === ".git") return true;
  for (let depth = segments.length - 1; depth >= 0; depth -= 1) {
    const rules = rulesOf(segments.slice(0, depth).join("/"));
    const verdict = rules?.ignores(segments.slice(depth), isDirectory);
    if (verdict !== undefined) return verdict;
  }
  return name === "node_modules";
}
