import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { WatchedInputs } from "@cuenv/cache/watch";
import { installSignalHandling, Interruption, interruptExitCode } from "@cuenv/runner";
import type { Invocation } from "../command-line/command.ts";
import { reportError } from "../report/report-error.ts";
import { painterOf, printErr } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { runTasks, type RunTasksOptions } from "../run/run-tasks.ts";
import { createFolderWatcher, type FolderWatcher } from "./folder-watcher.ts";
import { changedPaths, createChangeJudge } from "./input-changes.ts";
import { isMendable, openWatchedProject, type WatchedProject } from "./watched-project.ts";

export type WatchedRunOptions = Omit<
  RunTasksOptions,
  "open" | "plan" | "json" | "detached" | "signal"
> & {
  /** Told each run's end. */
  readonly onRun: (
    summary: Awaited<ReturnType<typeof runTasks>>,
    open: RunTasksOptions["open"],
  ) => Promise<void> | void;
};

/**
 * Where it may be the run itself that writes its inputs, it is ended only when it is so old: a short one comes to its end first, a server is started
 * anew.
 */
const oldEnoughMs = 3_000;

/**
 * What changes so soon after something was printed proves nobody's edit: it may be that (`cuenv task test --watch | tee log.txt`). Longer than what the watcher
 * waits for quiet.
 */
const echoMs = 700;

interface Watch {
  readonly invocation: Invocation;
  readonly options: WatchedRunOptions;
  readonly watcher: FolderWatcher;
  readonly stop: AbortSignal;
  readonly judge: ReturnType<typeof createChangeJudge>;
  readonly say: (text: string) => void;
  /** When something was printed last. */
  readonly printed: { at: number };
  project: WatchedProject;
  /** Of `project.stamp`, when the configuration was read last. */
  stamp: string;
  /** The configuration cannot be read just now. */
  isBroken: boolean;
  wasEnded: boolean;
}

/**
 * Runs the named tasks, and again whenever the content of something changes that they read, or the configuration; until Ctrl-C, which ends what runs. A change
 * while tasks run ends them, and they start anew. Nothing that fails ends the watch.
 * @throws {CuenvError} when the project cannot be opened to begin with
 */
export async function watchTasks(
  invocation: Invocation,
  options: WatchedRunOptions,
): Promise<number> {
  const paint = painterOf(2);
  const printed = { at: 0 };
  const say = (text: string): void => {
    printErr(`${paint("dim", "cuenv watch:")} ${visibleText(text)}\n`);
    printed.at = performance.now();
  };
  const controller = new AbortController();
  const removeHandlers = installSignalHandling({
    onInterrupt: (reason) => controller.abort(reason),
  });
  const watcher = createFolderWatcher((reason) =>
    say(`the system follows no more folders (${reason}); looking now and then instead`),
  );
  try {
    const project = await openWatchedProject(invocation);
    const watch: Watch = {
      invocation,
      options,
      watcher,
      stop: controller.signal,
      judge: createChangeJudge(),
      say,
      printed,
      project,
      stamp: project.stampAsRead,
      isBroken: false,
      wasEnded: false,
    };
    await watchLoop(watch);
    return interruptExitCode(controller.signal.reason);
  } finally {
    watcher.close();
    removeHandlers();
  }
}

async function watchLoop(watch: Watch): Promise<void> {
  const { say, stop } = watch;
  let seen = look(watch);
  // It was written while it was read, and nobody followed its folders yet.
  if ((await reload(watch)).length > 0) seen = look(watch);
  for (;;) {
    const ran = await runOnce(watch, seen);
    if (stop.aborted) return;
    if (ran.changes.length > 0) {
      seen = await pauseBefore(watch, ran);
      if (stop.aborted) return;
      continue;
    }
    say(`waiting for changes to ${count(ran.seen.files.size, "file")}`);
    const next = await nextChange(watch, ran.seen, stop);
    if (next === undefined) return;
    say(`${changesText(next.changes)}: running again`);
    seen = next.seen;
  }
}

interface Changed {
  /** What to run again for. */
  readonly changes: readonly string[];
  readonly seen: WatchedInputs;
}

/** Runs the plan once. Changes that are seen meanwhile end it, if it may be ended. */
async function runOnce(watch: Watch, before: WatchedInputs): Promise<Changed> {
  const { judge, options, stop, project } = watch;
  const run = new AbortController();
  const both = AbortSignal.any([run.signal, stop]);
  const started = performance.now();
  const ended = new AbortController();
  const running = runTasks({
    ...options,
    open: project.open,
    plan: project.plan,
    json: false,
    detached: true,
    signal: both,
  }).finally(() => ended.abort());
  const reloadedMeanwhile: string[] = [];
  let endedFor: readonly string[] = [];
  const seeChanges = async (): Promise<void> => {
    const signal = AbortSignal.any([ended.signal, stop]);
    for (;;) {
      await watch.watcher.next(signal);
      const now = look(watch);
      const edits = judge.during(changedPaths(before, now), before, now);
      reloadedMeanwhile.push(...(await reload(watch)));
      const isReconfigured = reloadedMeanwhile.length > 0;
      if (edits.length === 0 && !isReconfigured) continue;
      const age = performance.now() - started;
      if (!isReconfigured && !judge.mayEnd(edits, watch.wasEnded) && age < oldEnoughMs)
        await setTimeout(oldEnoughMs - age, undefined, { signal });
      endedFor = edits;
      run.abort(new Interruption("SIGTERM"));
      return;
    }
  };
  const seeing = seeChanges().catch((error: unknown) => {
    if (!ended.signal.aborted && !stop.aborted) throw error;
  });
  const summary = await running;
  await seeing;
  watch.printed.at = performance.now();
  watch.wasEnded = run.signal.aborted;
  if (!run.signal.aborted) await options.onRun(summary, project.open);
  const reloaded = [...reloadedMeanwhile, ...(await reload(watch))];
  const seen = look(watch);
  const changed = changedPaths(before, seen);
  judge.during(changed, before, seen);
  const own = judge.runEnded(changed);
  const edits = judge.during(changed, before, seen);
  if (own.length > 0)
    watch.say(
      `the tasks themselves write ${shortList(own)}: that starts them no more; declare it in outputs`,
    );
  // What changed is still to be run for when the configuration is mended.
  if (watch.isBroken) return { changes: [], seen: before };
  const changes = [...reloaded, ...edits];
  // Ended for what is known by now to be its own doing, or is again what it was: it has to run all the same.
  return { changes: changes.length > 0 ? changes : endedFor, seen };
}

/** Says why it starts anew. Where it may be the tasks that write what they read, waits first whether somebody does. Gives what the next run begins with. */
async function pauseBefore(watch: Watch, { changes, seen }: Changed): Promise<WatchedInputs> {
  const ms = watch.judge.pauseMs(changes);
  if (ms === 0) {
    watch.say(`${changesText(changes)}: starting anew`);
    return seen;
  }
  watch.say(`${changesText(changes)} in one run after another: starting anew in ${ms / 1_000} s`);
  const signal = AbortSignal.any([watch.stop, AbortSignal.timeout(ms)]);
  return (await nextChange(watch, seen, signal, true))?.seen ?? seen;
}

/**
 * Undefined: `signal` came first.
 * @param isPause there is a run after it in any case: what may be an echo of our own words does not end it
 */
async function nextChange(
  watch: Watch,
  before: WatchedInputs,
  signal: AbortSignal,
  isPause = false,
): Promise<Changed | undefined> {
  let known = before;
  for (;;) {
    try {
      await watch.watcher.next(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw error;
    }
    const reloaded = await reload(watch);
    const seen = look(watch);
    const edits = changedPaths(known, seen);
    // With another configuration the inputs are others: that says nothing of who wrote them.
    if (reloaded.length === 0) {
      if (performance.now() - watch.printed.at >= echoMs) watch.judge.idle(edits);
      else if (isPause) continue;
      else if (watch.judge.foreign(edits).length === 0) {
        known = seen;
        continue;
      }
    }
    const changes = [...reloaded, ...edits];
    if (changes.length > 0 && !watch.isBroken) return { changes, seen };
  }
}

/** Reads the configuration anew if one of its files was written. Gives what to say of it when it says something else than before. */
async function reload(watch: Watch): Promise<readonly string[]> {
  const stamp = watch.project.stamp();
  if (stamp === watch.stamp) return [];
  watch.stamp = stamp;
  try {
    const project = await openWatchedProject(watch.invocation);
    const isOther = project.identity !== watch.project.identity || watch.isBroken;
    Object.assign(watch, { project, stamp: project.stampAsRead, isBroken: false });
    return isOther ? ["the configuration"] : [];
  } catch (error) {
    if (!isMendable(error)) throw error;
    reportError(error, false);
    watch.isBroken = true;
    watch.say("waiting until the configuration is mended");
    return [];
  }
}

/**
 * Follows the folders first and looks then, so that nothing falls between; where new folders came up, looks again.
 */
function look(watch: Watch): WatchedInputs {
  const { project, watcher } = watch;
  for (let attempt = 0; ; attempt += 1) {
    const inputs = project.look();
    const folders = [...inputs.folders].map((path) => join(project.open.workspaceRoot, path));
    const isNew = watcher.follow(new Set([...folders, ...project.configurationFolders]));
    if (!isNew || attempt === 3) return inputs;
  }
}

function changesText(paths: readonly string[]): string {
  return `${shortList(paths)} changed`;
}

function shortList([first = "", ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
