import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** The launcher of the cuenv that this plugin depends on, absolute: run with this Node, so that neither a PATH nor a shell has a say in it. */
export function cuenvLauncher(): string {
  const manifest = createRequire(import.meta.url).resolve("cuenv/package.json");
  const { bin } = JSON.parse(readFileSync(manifest, "utf8")) as { bin: { cuenv: string } };
  return join(dirname(manifest), bin.cuenv);
}
