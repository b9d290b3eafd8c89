import { hash } from "node:crypto";
import { lstatSync, readdirSync, type Dirent, type Stats } from "node:fs";
import { compareUtf8 } from "./compare-utf8.ts";
import type { DirectoryEntry, FileKind } from "./file-index.ts";

/** A listing as text: for each name a letter for its kind, the name, and a slash, which no name contains. */
const letters: Readonly<Record<FileKind, string>> = {
  file: "f",
  directory: "d",
  symlink: "l",
  other: "o",
};
const kinds = new Map(Object.entries(letters).map(([kind, letter]) => [letter, kind as FileKind]));

export function kindOf(stat: Stats | Dirent): FileKind {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  return "other";
}

/**
 * The names in a directory in UTF-8 order; undefined when there is none.
 * @throws the system's error when it is there and cannot be listed: taken for empty, it would make a key, or a result, without the files in it
 */
export function readListing(path: string): DirectoryEntry[] | undefined {
  let found: Dirent[];
  try {
    found = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && "code" in error && wentAway.has(error.code)) return undefined;
    throw error;
  }
  return found
    .map((entry) => ({ name: entry.name, kind: settledKind(path, entry) }))
    .toSorted((left, right) => compareUtf8(left.name, right.name));
}

/** Since it was looked at. */
const wentAway = new Set<unknown>(["ENOENT", "ENOTDIR"]);

/** Some file systems do not say the kind in the listing; then a look at the file does. */
function settledKind(path: string, entry: Dirent): FileKind {
  const kind = kindOf(entry);
  const special =
    entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice();
  if (kind !== "other" || special) return kind;
  const stat = lstatSync(`${path}/${entry.name}`, { throwIfNoEntry: false });
  return stat === undefined ? "other" : kindOf(stat);
}

export function formatListing(entries: readonly DirectoryEntry[]): string {
  let text = "";
  for (const entry of entries) text += `${letters[entry.kind]}${entry.name}/`;
  return text;
}

export function parseListing(text: string): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  for (let start = 0; start < text.length;) {
    const end = text.indexOf("/", start);
    if (end < 0) break;
    entries.push({
      name: text.slice(start + 1, end),
      kind: kinds.get(text.charAt(start)) ?? "other",
    });
    start = end + 1;
  }
  return entries;
}

/** 24 hexadecimal digits. */
export function hashListing(text: string): string {
  return hash("sha256", text, "hex").slice(0, 24);
}
