import { mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes a folder and those above it, mode 0700. Node's own `recursive` says ENOENT where the file system says EROFS or ENOSPC, and so hides
 * what the user should know; and it never ends where a file system says ENOENT of a name in a folder that is there, as /proc and automounters of homes do
 * (libuv 1.52). @throws system errors
 */
export function makeFolders(path: string): void {
  if (makeFolder(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolders(parent);
  // Not there still: the parent is a link to nothing, or went in this moment.
  if (!makeFolder(path))
    throw Object.assign(new Error(`ENOENT: no folder for ${path}`), { code: "ENOENT" });
}

/** False when there is no folder to make it in. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code !== "EEXIST" && code !== "ENOENT") throw error;
    return code === "EEXIST";
  }
}
