import { readFileSync } from "node:fs";

let version: string | undefined;

/** The version of this package. Sources and bundle lie at the same depth below it. */
export function cuenvVersion(): string {
  return (version ??= readVersion());
}

function readVersion(): string {
  const manifest = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return manifest.version;
}
