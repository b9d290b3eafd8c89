import { isSharedFolder } from "@cuenv/digest";
import { dirname } from "node:path";

/** The folder and those above it, the nearest first; none that everybody may write to, unless it is the first: whoever put something there would be believed, or run. */
export function foldersAbove(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder || isSharedFolder(parent) ? [folder] : [folder, ...foldersAbove(parent)];
}
