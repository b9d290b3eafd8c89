import { statSync } from "node:fs";
import process from "node:process";
import type { InspectedProject, Inspection } from "./inspection.ts";

/** The grain of the coarsest clock among file systems in use: a file written within it may change again without another time (2 s). */
const racyMs = 2000;

interface Remembered {
  readonly project: InspectedProject;
  /** By path, as it was when the project was read: `stampOf`. */
  readonly stamps: ReadonlyMap<string, string>;
}

export interface RememberedInspections {
  /** The projects of these folders, in this order; only those that changed are given to `inspect`, together. */
  of(
    directories: readonly string[],
    inspect: (changed: readonly string[]) => Promise<Inspection>,
  ): Promise<readonly InspectedProject[]>;
}

/**
 * Keeps what was inspected while everything that it depended on is as it was: files and folders by their stat, cuenv's own variables by value. In memory:
 * with Nx' daemon nothing is started while nothing changes, without it one process that remembers evaluations itself.
 */
export function rememberInspections(): RememberedInspections {
  const known = new Map<string, Remembered>();
  let variables = "";
  return {
    async of(directories, inspect) {
      const now = cuenvVariables();
      if (now !== variables) known.clear();
      variables = now;
      const stampOf = statStamps();
      const changed = directories.filter((directory) => {
        const remembered = known.get(directory);
        return remembered === undefined || !isUnchanged(remembered, stampOf);
      });
      const fresh = new Map<string, InspectedProject>();
      if (changed.length > 0) {
        const startedMs = Date.now();
        const { projects } = await inspect(changed);
        for (const project of projects) {
          fresh.set(project.directory, project);
          keep(known, project, startedMs);
        }
      }
      return directories.flatMap(
        (directory) => fresh.get(directory) ?? known.get(directory)?.project ?? [],
      );
    },
  };
}

/** What is wrong is read anew each time; and so is what changed a moment before it was read, or since. */
function keep(known: Map<string, Remembered>, project: InspectedProject, startedMs: number): void {
  known.delete(project.directory);
  if (project.error !== null) return;
  const stampOf = statStamps();
  const stamps = new Map(project.read.map((path) => [path, stampOf(path)]));
  for (const { changedMs } of stamps.values()) if (changedMs > startedMs - racyMs) return;
  known.set(project.directory, {
    project,
    stamps: new Map([...stamps].map(([path, { text }]) => [path, text])),
  });
}

function isUnchanged({ stamps }: Remembered, stampOf: StampOf): boolean {
  for (const [path, stamp] of stamps) if (stampOf(path).text !== stamp) return false;
  return true;
}

interface Stamp {
  readonly text: string;
  readonly changedMs: number;
}

type StampOf = (path: string) => Stamp;

/** Projects share most of what they depend on: each path is looked at once. */
function statStamps(): StampOf {
  const seen = new Map<string, Stamp>();
  return (path) => {
    const before = seen.get(path);
    if (before !== undefined) return before;
    const stamp = statStamp(path);
    seen.set(path, stamp);
    return stamp;
  };
}

function statStamp(path: string): Stamp {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return { text: "missing", changedMs: 0 };
    const { size, mtimeMs, ctimeMs, ino } = stat;
    return { text: `${size} ${mtimeMs} ${ctimeMs} ${ino}`, changedMs: Math.max(mtimeMs, ctimeMs) };
  } catch {
    return { text: "unreadable", changedMs: 0 };
  }
}

function cuenvVariables(): string {
  return Object.entries(process.env)
    .filter(([name]) => name.startsWith("CUENV_") || name === "HOME" || name === "XDG_CONFIG_HOME")
    .map(([name, value]) => `${name}=${value}\n`)
    .toSorted()
    .join("");
}
