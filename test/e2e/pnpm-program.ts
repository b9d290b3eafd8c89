import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The pnpm of this repository. */
export function pnpmProgram(): string {
  const manifest = createRequire(import.meta.url).resolve("pnpm/package.json");
  return join(dirname(manifest), "pnpm");
}
