import { createRequire } from "node:module";

/** Whether Nx, the workspace's own, hashes ignored files where an input says `includeIgnored`: since 23. */
export function knowsIncludeIgnored(workspaceRoot: string): boolean {
  return isSince23(workspaceRoot);
}

/** Whether `"..."` in a list of targetDefaults stands for what is inferred: since 23. Before, it is a name that nothing has. */
export function knowsRest(workspaceRoot: string): boolean {
  return isSince23(workspaceRoot);
}

/** One that cannot be told is taken for a new one. */
function isSince23(workspaceRoot: string): boolean {
  return (nxMajor(workspaceRoot) ?? 23) >= 23;
}

function nxMajor(workspaceRoot: string): number | undefined {
  try {
    const { version } = createRequire(`${workspaceRoot}/package.json`)("nx/package.json") as {
      version: string;
    };
    return Number.parseInt(version, 10);
  } catch {
    // An Nx that is run from elsewhere.
    return undefined;
  }
}
