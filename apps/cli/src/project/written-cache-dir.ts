import type { CacheSettingsInput } from "@cuenv/config";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const written = /^[ \t]*(?:[\w.]*[:.][ \t{]*)*cache(?:Dir|_dir)[ \t]*:[ \t]*"(?<path>[^"\\]+)"/m;

/**
 * The cache folder that `env.cue` writes down as a plain string, found without evaluating the file: what earlier evaluations gave
 * lies there. A guess that is wrong costs an evaluation; what is found is checked by content.
 */
export function writtenCacheDir(projectDirectory: string): CacheSettingsInput {
  let text: string;
  try {
    text = readFileSync(join(projectDirectory, "env.cue"), "utf8");
  } catch {
    return {};
  }
  if (!text.includes("cacheDir") && !text.includes("cache_dir")) return {};
  const path = written.exec(text)?.groups?.["path"];
  return path === undefined ? {} : { cacheDir: path };
}
