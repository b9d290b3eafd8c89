import { type Dirent, readdirSync } from "node:fs";
import { isSharedFolder } from "@cuenv/digest";
import { join } from "node:path";

/** More are not looked into: this is for a hint. */
const maxFolders = 500;
const maxFound = 5;

/**
 * Some folders below one that have an `env.cue`, relative to it, the nearest first: who stands at the root of many projects may mean one of them. None below a folder that everybody
 * puts things into: there they are anybody's.
 */
export function projectsBelow(directory: string): readonly string[] {
  if (isSharedFolder(directory)) return [];
  const found: string[] = [];
  const folders = [""];
  for (let next = 0; next < folders.length && next < maxFolders; next += 1) {
    const folder = folders[next] ?? "";
    for (const entry of entriesOf(join(directory, folder))) {
      if (entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules")
        folders.push(join(folder, entry.name));
      else if (entry.name === "env.cue" && entry.isFile() && folder !== "") found.push(folder);
    }
    if (found.length >= maxFound) return found.slice(0, maxFound);
  }
  return found;
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).toSorted((left, right) =>
      left.name < right.name ? -1 : 1,
    );
  } catch {
    return []; // not ours to list
  }
}
