import type { WatchedInputs } from "@cuenv/cache/watch";

/** Paths, from the workspace root, whose content is another one, or that came or went. Sorted. */
export function changedPaths(before: WatchedInputs, now: WatchedInputs): readonly string[] {
  const changed: string[] = [];
  for (const [path, { identity }] of now.files)
    if (before.files.get(path)?.identity !== identity && !isEditorFile(path)) changed.push(path);
  for (const path of before.files.keys())
    if (!now.files.has(path) && !isEditorFile(path)) changed.push(path);
  return changed.toSorted();
}

/** What vim, Emacs, JetBrains' and others' editors put beside a file while it is open or being saved. */
export function isEditorFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return /^(?:\.#.*|#.*#|.*~|\..*\.sw[a-z]|4913|\.goutputstream-.*|.*___jb_(?:tmp|old)___)$/.test(
    name,
  );
}

/** Which changes that are seen while tasks run are theirs, and which are somebody's edits. */
export interface ChangeJudge {
  /** Seen while nothing ran: nobody's but somebody's edits, and these files are never taken for the tasks' again. */
  readonly idle: (changed: readonly string[]) => void;
  /** Of the paths that changed since the run began: those that are to make it run again. */
  readonly during: (
    changed: readonly string[],
    before: WatchedInputs,
    now: WatchedInputs,
  ) => readonly string[];
  /** Whether a run may be ended in its midst for these: not if it may be the run itself that goes on writing them. */
  readonly mayEnd: (edits: readonly string[], wasEnded: boolean) => boolean;
  /** Those that are not taken for the tasks' own. */
  readonly foreign: (changed: readonly string[]) => readonly string[];
  /** The run is over. Gives the paths that are now taken for the tasks' own, and were not before: to be told. */
  readonly runEnded: (changed: readonly string[]) => readonly string[];
  /** How long to wait before a run for these alone, in milliseconds: what changes meanwhile, nobody but somebody changes. */
  readonly pauseMs: (edits: readonly string[]) => number;
}

/** The pause after a file changed in so many runs on end: first none, for somebody may save it in two runs that follow one another. */
const pausesMs = [0, 0, 1_000, 2_000];
const runsOfOwnWrites = pausesMs.length;

/**
 * Nobody can see who wrote a file. One that is new in the project during a run, and that no task declares, a task made: an output that is not declared. One that
 * changed in four runs on end, and never while nothing ran, pauses between them included, the tasks write themselves. So undeclared outputs cost three more runs
 * at most, and never runs without end. Everything else is an edit: it is lost only to who saves a file in each of four runs, and never in a pause.
 */
export function createChangeJudge(): ChangeJudge {
  const own = new Set<string>();
  const edited = new Set<string>();
  let streaks: ReadonlyMap<string, number> = new Map();
  return {
    idle: (changed) => {
      for (const path of changed) {
        edited.add(path);
        own.delete(path);
      }
    },
    during: (changed, before, now) => {
      for (const path of changed) {
        const isOutput = !before.files.has(path) && now.files.get(path)?.isDeclared === false;
        if (isOutput && !edited.has(path)) own.add(path);
      }
      return changed.filter((path) => !own.has(path));
    },
    foreign: (changed) => changed.filter((path) => !own.has(path)),
    mayEnd: (edits, wasEnded) =>
      edits.some((path) => edited.has(path) || (!wasEnded && !streaks.has(path))),
    runEnded: (changed) => {
      const next = new Map<string, number>();
      for (const path of changed) {
        if (!edited.has(path) && !own.has(path)) next.set(path, (streaks.get(path) ?? 0) + 1);
      }
      streaks = next;
      const found = [...next].filter(([, count]) => count >= runsOfOwnWrites);
      for (const [path] of found) own.add(path);
      return found.map(([path]) => path);
    },
    pauseMs: (edits) => Math.min(...edits.map((path) => pausesMs[streaks.get(path) ?? 0] ?? 0)),
  };
}
