import { processIdentity, processStart } from "@cuenv/cas";
import { rmdirSync, statSync, utimesSync } from "node:fs";
import {
  createOwnJournal,
  type Journal,
  journalNames,
  type OwnJournal,
  readJournals,
  readLines,
  removeJournal,
  writerHeartbeatMs,
  type WriterLine,
} from "./writer-journal.ts";

/**
 * Which processes write the outputs of which tasks of a workspace, and when. A task that two of them run at once, because a source was edited in between, writes
 * into the same files from both: each would find right inputs at its end, and store a mixture under its own key. So would one that runs while another
 * process puts an earlier result in place, and one whose dependency is made anew while it reads what that made. Leases do not help: they are of one key.
 *
 * Nobody waits for anybody. Each process appends to a file of its own, below a folder of the workspace, a line before and after it runs a task or restores its outputs;
 * who wants to store a run reads what the others wrote since it began. Alone, that is a file made and removed, and two listings of a folder for each run.
 */
export interface OutputWriters {
  /** This process is about to run a task. `writes` false: it has no outputs, and only reads those of others. */
  begin(task: string, writes: boolean): OutputRun;
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
  /** The task's process was started, as the leader of its group: it goes on writing when this one is killed. Never throws. */
  started(pid: number): void;
  /**
   * The task whose outputs another process wrote since this run began: the one that ran, or one that it read from. Putting the very result in place again that
   * was read does not count. Undefined: nobody did. The one that ran, too, where that {@link isForgotten}.
   */
  disturbed(read: readonly ReadOutputs[]): string | undefined;
  /** Whether what was said since it began was removed by hand, what others said included: nobody knows then what they wrote. */
  isForgotten(): boolean;
  /** The task has ended, and its outputs have been captured. Never throws. */
  end(): void;
}

/** What lies between the clocks of files and ours, at most (ms). */
const clockGrainMs = 5_000;

/** `directory`: of one workspace, absolute; made when something is written. */
export function createOutputWriters(
  directory: string,
  now: () => number = Date.now,
): OutputWriters {
  let identity: string | undefined;
  // A run of hits needs none, and it takes a few questions to the system.
  const own = (): string => (identity ??= processIdentity());
  let journal: OwnJournal | undefined;
  const append = (line: WriterLine): boolean =>
    (journal ??= createOwnJournal(directory, own())).append(line);
  /** Where descriptors are few, the task that is about to be started needs the last ones. */
  const appendAndClose = (line: WriterLine): boolean => {
    const isSaid = append(line);
    journal?.close();
    return isSaid;
  };
  const heartbeat = createHeartbeat(() => `${directory}/${own()}`);
  return {
    begin(task, writes) {
      // Said before the others are looked at: of two that begin at once, the later one sees the earlier.
      const isSaid = appendAndClose({ kind: writes ? "run" : "read", task, since: now() });
      const before = readJournals(directory, own(), now());
      const stop = heartbeat();
      return {
        started(pid) {
          const begun = processStart(pid);
          appendAndClose({
            kind: "start",
            task,
            group: pid,
            ...(begun === undefined ? {} : { begun }),
          });
        },
        disturbed: (read) =>
          isSaid ? disturbed({ directory, own: own(), before, task, writes, read }) : undefined,
        isForgotten: () => isSaid && !journalNames(directory).includes(own()),
        end() {
          stop();
          appendAndClose({ kind: "end", task });
        },
      };
    },
    restoring: (task, key) => void append({ kind: "restore", task, key }),
    close() {
      journal?.close();
      if (identity !== undefined)
        removeEnded(directory, identity, readJournals(directory, identity, now()));
    },
  };
}

/** While a task runs, the file shows those who cannot ask this process that it is there. */
function createHeartbeat(path: () => string): () => () => void {
  let running = 0;
  let timer: NodeJS.Timeout | undefined;
  const beat = (): void => {
    const seconds = Date.now() / 1000;
    try {
      utimesSync(path(), seconds, seconds);
    } catch {
      // It was removed by hand: then the run is not stored.
    }
  };
  return () => {
    running += 1;
    timer ??= setInterval(beat, writerHeartbeatMs).unref();
    return () => {
      running -= 1;
      if (running > 0) return;
      clearInterval(timer);
      timer = undefined;
    };
  };
}

function disturbed(run: {
  readonly directory: string;
  readonly own: string;
  readonly before: ReadonlyMap<string, Journal>;
  readonly task: string;
  readonly writes: boolean;
  readonly read: readonly ReadOutputs[];
}): string | undefined {
  const names = journalNames(run.directory);
  // See isForgotten.
  if (!names.includes(run.own)) return run.task;
  const keys = new Map(run.read.map(({ task, key }) => [task, key]));
  const shared = [...(run.writes ? [run.task] : []), ...keys.keys()];
  const concerns = (line: WriterLine | undefined): string | undefined => {
    if (line === undefined) return run.task;
    if (line.kind !== "run" && line.kind !== "restore") return undefined;
    const { task } = line;
    if (!shared.includes(task)) return undefined;
    const isSame = line.kind === "restore" && task !== run.task && line.key === keys.get(task);
    return isSame ? undefined : task;
  };
  for (const name of names) {
    if (name === run.own) continue;
    const seen = run.before.get(name);
    const running = shared.find((task) => seen?.runs.get(task)?.writes === true);
    if (running !== undefined) return running;
    for (const line of readLines(run.directory, name, seen?.bytes).lines) {
      const task = concerns(line);
      if (task !== undefined) return task;
    }
  }
  return undefined;
}

/**
 * Whoever runs a task still has to know what was written since it began: files that were written to after the oldest of those runs began stay, and go with one of those
 * who end later. What begins from now on has nothing to do with what ended before.
 */
function removeEnded(directory: string, own: string, others: ReadonlyMap<string, Journal>): void {
  const begun = [...others.values()].flatMap(({ runs }) => [...runs.values()]);
  const oldest = Math.min(...begun.map(({ since }) => since));
  const isRead = (modifiedMs: number): boolean => modifiedMs + clockGrainMs >= oldest;
  const ofThisProcess = own.slice(0, own.lastIndexOf("."));
  for (const [name, { modifiedMs, isGone, runs }] of others) {
    const hasEnded = isGone || name.startsWith(`${ofThisProcess}.`);
    if (hasEnded && runs.size === 0 && !isRead(modifiedMs)) removeJournal(directory, name);
  }
  const stat = statSync(`${directory}/${own}`, { throwIfNoEntry: false });
  if (stat !== undefined && !isRead(stat.mtimeMs)) removeJournal(directory, own);
  try {
    rmdirSync(directory);
  } catch {
    // Another process has begun.
  }
}
