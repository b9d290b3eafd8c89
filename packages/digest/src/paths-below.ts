import { statSync } from "node:fs";

/** How paths below a folder are given to the system. */
export interface PathsBelow {
  /** From a path relative to the folder, not empty, to one for the next call to the system. */
  readonly of: (path: string) => string;
  /** To be called from time to time: another folder may have been put in the place of this one. */
  readonly look: () => void;
}

/**
 * Paths longer than this are given whole, so that the system's limit on their length (1,024 bytes on macOS) is met by the same ones wherever this runs
 * from; the root may be as long, too.
 */
const maxLength = 250;

/**
 * Where this process runs in the folder, paths relative to it are given as they are: the system need not walk down to the folder for each of thousands (7,400
 * `lstat` ten folders deep take 23 ms instead of 30). A working directory that was left, moved or removed is noticed, and paths are absolute again.
 */
export function pathsBelow(root: string): PathsBelow {
  let here = workingDirectoryIn(root);
  return {
    of: (path) =>
      here !== undefined && path.length <= maxLength && process.cwd() === here
        ? path
        : `${root}/${path}`,
    look: () => {
      here = workingDirectoryIn(root);
    },
  };
}

/** What `process.cwd()` gives (from memory, until somebody changes it), if it is `root` and still that folder. */
function workingDirectoryIn(root: string): string | undefined {
  if (root.length > maxLength) return undefined;
  try {
    const here = process.cwd();
    if (here !== root) return undefined;
    const ours = statSync(".");
    const named = statSync(root);
    return ours.ino === named.ino && ours.dev === named.dev ? here : undefined;
  } catch {
    return undefined;
  }
}
