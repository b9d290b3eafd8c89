import { lstatSync, mkdirSync, readdirSync, renameSync, unlinkSync } from "node:fs";

/**
 * Named pipes that one process made and a later one uses: making one takes a process. Each is used once, by whoever renames it first; nothing but its name
 * is shared, for it is removed as soon as it is open.
 */
export interface SparePipes {
  /** The path of a pipe that is nobody else's, to be opened and removed; undefined: there is none. */
  readonly take: () => string | undefined;
  /** How many there may be, at most. */
  readonly left: () => number;
  /** Paths for pipes that are to be made, as many as the folder is short of. */
  readonly newPaths: () => readonly string[];
}

/** Two for each task: a dozen small runs find some. */
const stockSize = 28;
const taken = ".taken";

/**
 * The pipes in a folder, which is made if it is not there.
 * @returns undefined where the folder is not ours alone: another user could read what tasks print
 */
export function openSparePipes(folder: string): SparePipes | undefined {
  if (!isPrivateFolder(folder)) return undefined;
  let names: string[] | undefined;
  const look = (): string[] => {
    if (names !== undefined) return names;
    const all = namesIn(folder);
    // Of a process that died, mostly; one that is about to open it takes another.
    for (const name of all) if (name.endsWith(taken)) removeFile(`${folder}/${name}`);
    return (names = all.filter((name) => !name.endsWith(taken)));
  };
  return {
    take() {
      for (let name = look().pop(); name !== undefined; name = look().pop()) {
        const path = `${folder}/${name}${taken}`;
        if (rename(`${folder}/${name}`, path)) return path;
      }
      return undefined;
    },
    left: () => look().length,
    newPaths() {
      const length = Math.max(0, stockSize - namesIn(folder).length);
      const unique = `${process.pid}-${Date.now().toString(36)}`;
      return Array.from({ length }, (_, index) => `${folder}/${unique}-${index}`);
    },
  };
}

function isPrivateFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch {
    // It is there, or cannot be made.
  }
  try {
    const stat = lstatSync(folder);
    return stat.isDirectory() && stat.uid === process.geteuid?.() && (stat.mode & 0o077) === 0;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** False: somebody else was sooner. */
function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch {
    return false;
  }
}

export function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It is gone, or stays.
  }
}
