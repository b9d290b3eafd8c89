import { readFileSync } from "node:fs";

/** The version of this package. Sources and bundle lie at the same depth below it. */
export function cuenvVersion(): string {
  const manifest = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return manifest.version;
}
