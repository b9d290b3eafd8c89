import { isAbandoned, processIdentity } from "@cuenv/cas";
import { appendToFile, makeFolders, readMemoFile } from "@cuenv/digest";
import { readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";

/**
 * Which processes write the outputs of which tasks of a workspace, and when. A task that two of them run at once, because a source was edited in between, writes
 * into the same files from both: each would find right inputs at its end, and store a mixture under its own key. So would one that runs while another
 * process puts an earlier result in place, and one whose dependency is made anew while it reads what that made. Leases do not help: they are of one key.
 *
 * Nobody waits for anybody. Each process appends to a file of its own, below a folder of the workspace, a line before and after it runs a task or restores its outputs;
 * who wants to store a run reads what the others wrote since it began. Alone, that is a file made and removed, and two listings of a folder for each run.
 */
export interface OutputWriters {
  /** This process is about to run a task. */
  begin(task: string): OutputRun;
  /** Told right before the outputs of a result are put in place, and right after. Never throws. */
  restoring(task: string, key: string): void;
  /** When nothing more is written. Never throws. */
  close(): void;
}

/** What a task read from another. */
export interface ReadOutputs {
  readonly task: string;
  /** Of the result that it read; undefined: it is not cached. */
  readonly key: string | undefined;
}

export interface OutputRun {
  /**
   * The task whose outputs another process wrote since this run began: the one that ran, or one that it read from. Putting the very result in place again that
   * was read does not count. Undefined: nobody did.
   */
  disturbed(read: readonly ReadOutputs[]): string | undefined;
  /** The task has ended, and its outputs have been captured. Never throws. */
  end(): void;
}

/** What lay in the folder when a run began. */
interface Others {
  /** Of processes that are there, by the names of their files. */
  readonly live: ReadonlyMap<string, Seen>;
  /** Of processes that were killed. */
  readonly gone: ReadonlySet<string>;
}

interface Seen {
  /** How much had been written. */
  readonly bytes: number;
  /** Tasks that were running. */
  readonly running: ReadonlySet<string>;
}

type Line =
  | readonly ["run" | "end", task: string]
  | readonly ["restore", task: string, key: string];

/** No process runs so many tasks (64 MiB). */
const maxBytes = 64 * 1024 * 1024;

/** `directory`: of one workspace, absolute; made when something is written. */
export function createOutputWriters(
  directory: string,
  now: () => number = Date.now,
): OutputWriters {
  let identity: string | undefined;
  // A run of hits needs none, and it takes a few questions to the system.
  const own = (): string => (identity ??= processIdentity());
  const append = (line: Line): boolean => appendLine(directory, own(), line);
  const others = (): Others =>
    lookAtOthers(directory, own(), (name, modified) => isAbandoned(name, modified, now()));
  return {
    begin(task) {
      // Said before the others are looked at: of two that begin at once, the later one sees the earlier.
      const isSaid = append(["run", task]);
      const before = others();
      return {
        disturbed: (read) =>
          isSaid ? disturbed({ directory, own: own(), before, task, read }) : undefined,
        end: () => void append(["end", task]),
      };
    },
    restoring: (task, key) => void append(["restore", task, key]),
    close() {
      if (identity !== undefined) removeEnded(directory, identity, others());
    },
  };
}

/** False in a folder that cannot be written to: then nobody can be told, as without this. */
function appendLine(directory: string, own: string, line: Line): boolean {
  const append = (): number =>
    appendToFile(`${directory}/${own}`, `${JSON.stringify(line)}\n`, maxBytes);
  try {
    try {
      append();
    } catch {
      makeFolders(directory);
      append();
    }
    return true;
  } catch {
    return false;
  }
}

function lookAtOthers(
  directory: string,
  own: string,
  isGone: (name: string, modifiedMs: number) => boolean,
): Others {
  const live = new Map<string, Seen>();
  const gone = new Set<string>();
  for (const name of namesIn(directory)) {
    const path = `${directory}/${name}`;
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (name === own || modified === undefined) continue;
    const bytes = readMemoFile(path, maxBytes) ?? Buffer.alloc(0);
    if (isGone(name, modified)) gone.add(name);
    else live.set(name, { bytes: bytes.length, running: runningIn(linesOf(bytes)) });
  }
  return { live, gone };
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function runningIn(lines: readonly (Line | undefined)[]): ReadonlySet<string> {
  const running = new Set<string>();
  for (const [kind, task = ""] of lines.filter((line) => line !== undefined)) {
    if (kind === "run") running.add(task);
    else if (kind === "end") running.delete(task);
  }
  return running;
}

function disturbed(run: {
  readonly directory: string;
  readonly own: string;
  readonly before: Others;
  readonly task: string;
  readonly read: readonly ReadOutputs[];
}): string | undefined {
  const names = namesIn(run.directory);
  // Removed by hand, and with it what the others said.
  if (!names.includes(run.own)) return run.task;
  const keys = new Map(run.read.map(({ task, key }) => [task, key]));
  const concerns = (line: Line | undefined): string | undefined => {
    if (line === undefined) return run.task;
    const [kind, task, key] = line;
    if (kind === "end") return undefined;
    if (task === run.task) return task;
    const isSame = kind === "restore" && key === keys.get(task);
    return keys.has(task) && !isSame ? task : undefined;
  };
  for (const name of names) {
    if (name === run.own || run.before.gone.has(name)) continue;
    const seen = run.before.live.get(name);
    const running = [run.task, ...keys.keys()].find((task) => seen?.running.has(task) === true);
    if (running !== undefined) return running;
    const bytes = readMemoFile(`${run.directory}/${name}`, maxBytes);
    for (const line of linesOf(bytes?.subarray(seen?.bytes ?? 0))) {
      const task = concerns(line);
      if (task !== undefined) return task;
    }
  }
  return undefined;
}

/** Undefined for a line that is no line of ours, or not written to its end yet. */
function linesOf(bytes: Buffer | undefined): readonly (Line | undefined)[] {
  const text = bytes?.toString() ?? "";
  return text.split("\n").flatMap((line) => (line === "" ? [] : [lineOf(line)]));
}

function lineOf(text: string): Line | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return isLine(line) ? line : undefined;
  } catch {
    return undefined;
  }
}

function isLine(line: unknown): line is Line {
  if (!Array.isArray(line) || !line.every((part) => typeof part === "string")) return false;
  const [kind] = line;
  return kind === "restore"
    ? line.length === 3
    : (kind === "run" || kind === "end") && line.length === 2;
}

/**
 * Whoever runs a task still has to know what was written since it began: then all files stay, and go with the last of those who ended. What begins from now on
 * has nothing to do with what ended before.
 */
function removeEnded(directory: string, own: string, { live, gone }: Others): void {
  if ([...live.values()].some(({ running }) => running.size > 0)) return;
  const ofThisProcess = own.slice(0, own.lastIndexOf("."));
  const earlier = [...live.keys()].filter((name) => name.startsWith(`${ofThisProcess}.`));
  for (const name of [own, ...gone, ...earlier]) removeFile(`${directory}/${name}`);
  try {
    rmdirSync(directory);
  } catch {
    // Another process has begun.
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Another process was sooner.
  }
}
