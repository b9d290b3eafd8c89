import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/**
 * A text that changes whenever a source of the command changes: path, size and mtime of every file below
 * the `src` folders (tests apart) and of the manifests. One lstat per file, so a few milliseconds; comparing
 * the whole list rather than the newest mtime also notices deleted files and checkouts of older ones.
 */
export function sourceStamp(root) {
  const lines = [];
  for (const file of [
    "pnpm-lock.yaml",
    ...["build", "bundle", "profile"].map((name) => `tools/${name}-cli.mjs`),
    "tools/eager-functions.mjs",
  ])
    addFile(lines, root, file);
  for (const group of ["packages", "apps"]) {
    for (const name of readdirSync(join(root, group)).toSorted()) {
      addFile(lines, root, `${group}/${name}/package.json`);
      addFolder(lines, root, `${group}/${name}/src`);
    }
  }
  return lines.join("\n");
}

function addFile(lines, root, file) {
  const found = statSync(join(root, file), { throwIfNoEntry: false });
  if (found) lines.push(`${file} ${found.size} ${found.mtimeMs}`);
}

function addFolder(lines, root, folder) {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return;
    throw error;
  }
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) addFolder(lines, root, path);
    else if (!entry.name.endsWith(".test.ts")) addFile(lines, root, path);
  }
}

/** The stamp that the present bundle was built from, or undefined without a bundle. */
export function builtStamp(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}
