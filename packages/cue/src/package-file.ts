import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A file of this package by its path below the package's folder. Sources and compiled code lie one folder below it; code
 * that was bundled into another package finds it by name.
 */
export function packageFile(path: string): string {
  const beside = fileURLToPath(new URL(`../${path}`, import.meta.url));
  if (existsSync(beside)) return beside;
  const manifest = createRequire(import.meta.url).resolve("@cuenv/cue/package.json");
  return join(dirname(manifest), path);
}
