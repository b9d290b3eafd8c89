import { lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** Every file that docs/cache-format.md names. What else lies in a cache folder when nobody works on it was left behind. */
const documented: readonly RegExp[] = [
  /^(?:CACHEDIR\.TAG|README)$/,
  /^v1\/cas\/\w+\/[0-9a-f]{2}\/[0-9a-f]{64}$/,
  /^v1\/ac\/\w+\/[\w.-]+\/[0-9a-f]{2}\/[0-9a-f]{64}$/,
  /^v1\/(?:journal|index|secret-salt)$/,
  /^v1\/quarantine\/[^/]+$/,
  /^v1\/pipes\/[\w-]+$/,
  /^v1\/stats\/\d{4}-\d\d-\d\d\.jsonl$/,
  /^v1\/workspaces\/\d+\/[0-9a-f]{32}\/(?:(?:files|signatures)\.bin|(?:inputs-[0-9a-z-]+|tools|last-results|rewritten-inputs)\.json|(?:earlier-results|marked-outputs|(?:entries|conclusions)-[0-9a-z-]+)\.jsonl)$/,
  /^v1\/workspaces\/\d+\/[0-9a-f]{32}\/evaluations\/(?:evaluation\/v\d+\/[0-9a-f]{64}|projects\/[0-9a-f]{32})\.json$/,
];

/** Files, and folders below `tmp`, that nobody will use again. `tolerated`: what goes only with the next sweep. */
export function cacheLeftovers(cacheDir: string, tolerated: readonly RegExp[] = []): string[] {
  const left: string[] = [];
  const look = (path: string): void => {
    for (const name of readdirSync(join(cacheDir, path))) {
      const inner = path === "" ? name : `${path}/${name}`;
      const isFolder = lstatSync(join(cacheDir, inner)).isDirectory();
      if (isFolder && path !== "v1/tmp") look(inner);
      else if (![...documented, ...tolerated].some((pattern) => pattern.test(inner)))
        left.push(inner);
    }
  };
  look("");
  return left;
}
