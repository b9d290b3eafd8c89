import { dirname } from "node:path";
import { isSharedFolder } from "./shared-folder.ts";

/** The folder and those above it, the nearest first; none that everybody may write to, unless it is the first: whoever put something there would be believed, or run. */
export function* foldersAbove(folder: string): Generator<string, undefined> {
  for (let here = folder; ; here = dirname(here)) {
    yield here;
    const parent = dirname(here);
    if (parent === here || isSharedFolder(parent)) return;
  }
}
