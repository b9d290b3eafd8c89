import { existsSync, lstatSync, openSync, readdirSync, rmdirSync } from "node:fs";
import { makeFolders } from "@cuenv/digest";
import { createFlags } from "./atomic-write.ts";
import { isAbandoned, isProcessIdentity, processIdentity } from "./process-identity.ts";
import { removeTree } from "./remove-tree.ts";
import { errorCode } from "./system-error.ts";

export interface TemporaryFolder {
  /** The folder of this process, made when it is not there. */
  readonly directory: () => string;
  /** A new file in it, open for writing, mode 0600. @throws system errors */
  readonly create: () => { readonly path: string; readonly file: number };
}

const folders = new Set<string>();
let listening = false;

/** An empty folder of ours is removed at exit; what a killed process leaves, the next writing process sweeps. */
function removeAtExit(directory: string): void {
  folders.add(directory);
  if (listening) return;
  listening = true;
  process.once("exit", () => {
    for (const each of folders) {
      try {
        rmdirSync(each);
      } catch {
        // Not empty: somebody is still staging, and it will be swept.
      }
    }
  });
}

/** `parent` is `tmp` of the cache folder. What dead processes left there is swept before the first file is made. */
export function createTemporaryFolder(parent: string, now: () => number): TemporaryFolder {
  let name: string | undefined;
  let count = 0;
  const directory = (): string => {
    if (name === undefined) {
      sweepAbandoned(parent, now());
      name = processIdentity();
    }
    const path = `${parent}/${name}`;
    // An error for each restore, "it is there already", takes ten times as long as a look.
    if (!existsSync(path)) makeFolders(path);
    removeAtExit(path);
    return path;
  };
  let known: string | undefined;
  const create = (): { path: string; file: number } => {
    for (let attempt = 1; ; attempt += 1) {
      known ??= directory();
      count += 1;
      const path = `${known}/${count}`;
      try {
        return { path, file: openSync(path, createFlags, 0o600) };
      } catch (error) {
        // Swept by a process that could not ask for us (another container): made again.
        if (errorCode(error) !== "ENOENT" || attempt === 3) throw error;
        known = undefined;
      }
    }
  };
  return { directory, create };
}

/** Removes what dead processes left in `parent`, each told `before` it goes, and nothing of other names. Returns how many things went. Never throws. */
export function sweepAbandoned(
  parent: string,
  nowMs: number,
  prefix = "",
  before?: (path: string) => void,
): number {
  let names: string[];
  try {
    names = readdirSync(parent);
  } catch {
    return 0;
  }
  let swept = 0;
  for (const name of names) {
    if (!name.startsWith(prefix) || !isProcessIdentity(name.slice(prefix.length))) continue;
    try {
      const { mtimeMs } = lstatSync(`${parent}/${name}`);
      if (!isAbandoned(name.slice(prefix.length), mtimeMs, nowMs)) continue;
      before?.(`${parent}/${name}`);
      removeTree(`${parent}/${name}`);
      swept += 1;
    } catch {
      // Another process sweeps, too.
    }
  }
  return swept;
}
