import type { CacheSettingsInput } from "@cuenv/config";
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
  let text: string;
  try {
    const file = openSync(join(projectDirectory, "env.cue"), flags);
    try {
      text = readFileSync(file, "utf8");
    } finally {
      closeSync(file);
    }
  } catch {
    return {};
  }
  if (!text.includes("cacheDir") && !text.includes("cache_dir")) return {};
  const path = written.exec(text)?.groups?.["path"];
  return path === undefined ? {} : { cacheDir: path };
}
