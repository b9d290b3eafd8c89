import { type CacheSettingsInput, cueFiles } from "@cuenv/config";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

const written = /^[ \t]*(?:[\w.]*[:.][ \t{]*)*cache(?:Dir|_dir)[ \t]*:[ \t]*"(?<path>[^"\\]+)"/m;

/** A FIFO of that name would be waited for; it is refused later. (Windows has no such flag.) */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/**
 * The cache folder that `env.cue` writes down as a plain string, found without evaluating the file: what earlier evaluations gave
 * lies there. A guess that is wrong costs an evaluation; what is found is checked by content.
 */
export function writtenCacheDir(projectDirectory: string): CacheSettingsInput {
  const path = cacheDirIn(join(projectDirectory, "env.cue"));
  return path === undefined ? {} : { cacheDir: path };
}

/**
 * The same of all files in the folder, `cache.cue` for one: for who goes by nothing else, since they cannot be evaluated. To clear another
 * folder than theirs would be a loss to others.
 */
export function cacheDirWrittenAnywhere(projectDirectory: string): CacheSettingsInput {
  const others = cueFiles(projectDirectory)
    .filter((name) => name !== "env.cue")
    .toSorted();
  for (const name of ["env.cue", ...others]) {
    const path = cacheDirIn(join(projectDirectory, name));
    if (path !== undefined) return { cacheDir: path };
  }
  return {};
}

function cacheDirIn(path: string): string | undefined {
  let text: string;
  try {
    const file = openSync(path, flags);
    try {
      text = readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
  if (!text.includes("cacheDir") && !text.includes("cache_dir")) return undefined;
  return written.exec(text)?.groups?.["path"];
}
