import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";

/**
 * A cache folder inside the workspace is nobody's input: its path there, by the name that it was given and, where that goes through links (a home that is
 * one), the one by which a walk comes to it.
 */
export function excludedPaths(workspaceRoot: string, cacheDirectory: string): readonly string[] {
  const named = pathsBelow(workspaceRoot, cacheDirectory);
  const real = pathsBelow(realPath(workspaceRoot), realPath(cacheDirectory));
  return [...new Set([...named, ...real])];
}

function pathsBelow(root: string, folder: string): readonly string[] {
  const path = relative(root, folder).split("\\").join("/");
  // A folder that is both: what the cache makes in it.
  if (path === "") return ["v1", "CACHEDIR.TAG"];
  return path.startsWith("../") || path === ".." || path.startsWith("/") ? [] : [path];
}

/** Without links, as far as it is there. */
function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
