import { statSync } from "node:fs";

/** Everybody may write to it, and only owners may remove what is theirs. */
const sharedMode = 0o1002;

/**
 * Whether a folder is one that all users of a machine put things into, as /tmp is. What lies in it is nobody's project: a search upwards that went through it
 * would run the commands of whoever put a file there first, for everybody who works below it.
 */
export function isSharedFolder(path: string): boolean {
  try {
    const mode = statSync(path, { throwIfNoEntry: false })?.mode ?? 0;
    return (mode & sharedMode) === sharedMode;
  } catch {
    return false;
  }
}
