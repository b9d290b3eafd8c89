import type { CacheEngine } from "./cache-engine.ts";

/**
 * The declared outputs of a task without the cache folder, where it lies in the workspace: a cache that is stored in itself grows with every run, and a hit
 * would take away what came into it since.
 */
export function ownOutputs(
  { excludedPaths }: Pick<CacheEngine, "excludedPaths">,
  outputs: readonly string[] | undefined,
): readonly string[] {
  if (outputs === undefined || outputs.length === 0) return [];
  return [...outputs, ...excludedPaths.map((path) => `!//${literal(path)}`)];
}

/** As a pattern that matches nothing else. */
function literal(path: string): string {
  return path.replaceAll(/[*?[{]/g, "[$&]");
}
