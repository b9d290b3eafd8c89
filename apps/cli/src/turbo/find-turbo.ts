import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The program of the project, as npx finds it; else that of PATH. */
export function findTurbo(from: string): string {
  const file = ancestors(from)
    .map((folder) => join(folder, "node_modules", ".bin", "turbo"))
    .find((path) => existsSync(path));
  return file ?? "turbo";
}

/** The repository's root: the topmost folder with a turbo.json, since packages may have one, too. */
export function turboRoot(from: string): string {
  return ancestors(from).findLast((folder) => existsSync(join(folder, "turbo.json"))) ?? from;
}

/** The folder and those above it. */
function ancestors(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}
