import { type FileIndex, hashText, readMemoFile, replaceFile } from "@cuenv/digest";
import type { InputNode } from "@cuenv/key";

/**
 * Inputs that were written while a task ran, and are what they were again: somebody edited one and took it back, or went to another branch and returned, or another run that writes nothing to the
 * cache made a dependency's outputs anew, and the task may have read what was there in between. Its result must not be stored under the key of what is there now, although nothing shows.
 *
 * But some tasks write the same bytes into their own inputs, every time. One that is seen to have written just the same files in two runs one after the other is
 * taken for such a one: then only its first run is not stored. Who goes back and forth twice makes two such runs, too; so a task that was seen to
 * run without writing them, as most are at once, needs more.
 */
export interface RewrittenInputs {
  /** What the task's files and links are before it runs, those of dependencies among them. */
  versions(nodes: readonly InputNode[]): ReadonlyMap<string, string>;
  /** The first of the files that are another version now, unless that is the task's habit. To be asked once for each run. */
  unexpected(task: string, before: ReadonlyMap<string, string>): string | undefined;
  /** Keeps what was seen for the next run. Never throws. */
  save(): void;
}

/** What the last runs of a task wrote: the hash of the paths, for a generator may write thousands; and how many runs one after the other, at most so many as are asked for. */
type Habit = readonly [files: string, runs: number, hasRunWithout: 0 | 1];

/** Runs that make a habit: of a task that wrote in each one that was seen, and of another. */
const habitRuns = 2;
const lateHabitRuns = 5;
/** 4 MiB: of forty thousand tasks. */
const maxBytes = 4 * 1024 * 1024;

/** `path`: of the file for what is remembered; undefined: nothing is. */
export function createRewrittenInputs(path: string | undefined, index: FileIndex): RewrittenInputs {
  let remembered: Map<string, Habit> | undefined;
  const learnt = new Map<string, Habit>();
  const note = (task: string, habit: Habit, known: Habit | undefined): void => {
    if (habit.join() !== known?.join()) learnt.set(task, habit);
  };
  return {
    versions: (nodes) =>
      new Map(
        nodes.flatMap((node) =>
          node.kind === "directory" ? [] : [[node.path, versionOf(index, node.path)]],
        ),
      ),
    unexpected(task, before) {
      if (before.size === 0) return undefined;
      const rewritten = [...before.keys()].filter(
        (file) => versionOf(index, file) !== before.get(file),
      );
      remembered ??= read(path);
      const known = learnt.get(task) ?? remembered.get(task);
      const [lastFiles = "", lastRuns = 0, hasRunWithout = 0] = known ?? [];
      if (rewritten.length === 0) {
        note(task, ["", 0, 1], known);
        return undefined;
      }
      const files = hashText("sha256", rewritten.join("\0")).hash;
      const runs = files === lastFiles ? Math.min(lastRuns + 1, lateHabitRuns) : 1;
      note(task, [files, runs, hasRunWithout], known);
      return runs >= (hasRunWithout === 1 ? lateHabitRuns : habitRuns) ? undefined : rewritten[0];
    },
    save() {
      if (path === undefined || learnt.size === 0) return;
      const all = new Map([...read(path), ...learnt]);
      replaceFile(path, JSON.stringify(Object.fromEntries(all)));
    },
  };
}

/** Not the ctime: a link to a file, or another mode, is not another content. */
function versionOf(index: FileIndex, path: string): string {
  const stat = index.stat(path);
  return stat === undefined ? "" : `${stat.mtimeMs}/${stat.inode}`;
}

function read(path: string | undefined): Map<string, Habit> {
  const text = path === undefined ? undefined : readMemoFile(path, maxBytes)?.toString();
  try {
    const value: unknown = JSON.parse(text ?? "{}");
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(
      Object.entries(value).filter((entry): entry is [string, Habit] => isHabit(entry[1])),
    );
  } catch {
    return new Map();
  }
}

function isHabit(value: unknown): value is Habit {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [files, runs, hasRunWithout] = value;
  return typeof files === "string" && Number.isInteger(runs) && [0, 1].includes(hasRunWithout);
}
