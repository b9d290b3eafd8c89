import type { FileIndex } from "@cuenv/digest";

/**
 * Why the folders above `path` cannot be gone through, or undefined: each one that exists must be a real folder. A symbolic link among
 * them could lead out of the workspace.
 */
export function realParentProblem(index: FileIndex, path: string): string | undefined {
  for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
    const parent = path.slice(0, end);
    const kind = index.stat(parent)?.kind;
    if (kind === undefined) return undefined;
    if (kind !== "directory")
      return `${parent}, above it, is ${kind === "symlink" ? "a symbolic link" : "no folder"}`;
  }
  return undefined;
}
