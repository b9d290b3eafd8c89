import type { Digest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import {
  type AbsentOutputs,
  areSameStates,
  bringInputs,
  dependencyFailed,
  withHiddenInputs,
  withOutputs,
} from "./absent-outputs.ts";
import type { CacheEngine } from "./cache-engine.ts";
import type { CacheEvent, MissReason } from "./cache-event.ts";
import { type ComputedKey, mayBeInput, type NoKey } from "./compute-key.ts";
import { explain } from "./explain.ts";
import { firstLookUp, type Missed } from "./first-look-up.ts";
import { type Hit, lookUp, type LookUp } from "./look-up.ts";
import { resolvedMode } from "./resolved-mode.ts";
import { type RunPlan, runTask } from "./run-task.ts";
import type {
  DependencyState,
  Execute,
  Execution,
  Miss,
  TaskOutcome,
  TaskRequest,
} from "./task-request.ts";
import { dependencyState } from "./task-state.ts";
import { waitForLease } from "./wait-for-lease.ts";

/** Told when the reason of a miss is known, before the task runs. */
export interface ExecuteOptions {
  readonly onMiss?: (miss: Miss) => void;
  /** Another process computes the same key; this one waits for it. */
  readonly onWait?: () => void;
}

/**
 * Looks a task up and restores its result, or runs it by `execute` and stores what it made. `execute` is called at most
 * once, and never on a hit. Whatever goes wrong in the cache is an event and at worst a miss: it changes neither output
 * nor exit code of the task.
 *
 * @throws what `execute` throws; CuenvError for mistakes of the configuration (patterns that cannot be read), RUN_CIRCLE among them
 */
export async function executeTaskWithCache<E extends Execution>(
  engine: CacheEngine,
  request: TaskRequest,
  execute: Execute<E>,
  options: ExecuteOptions = {},
): Promise<TaskOutcome<E>> {
  const run: TaskRun<E> = { engine, request, execute, options };
  const isInput = (path: string): boolean => mayBeInput(engine, request, path);
  const seen = await withHiddenInputs(request.dependencies, isInput);
  await bringInputs(request.after ?? [], isInput);
  return executeSeeing({ ...run, request: { ...request, dependencies: seen } });
}

interface TaskRun<E extends Execution> {
  readonly engine: CacheEngine;
  readonly request: TaskRequest;
  readonly execute: Execute<E>;
  readonly options: ExecuteOptions;
}

async function executeSeeing<E extends Execution>(run: TaskRun<E>): Promise<TaskOutcome<E>> {
  const { engine, request } = run;
  const { name: task } = request.task;
  const mode = resolvedMode(request);
  const found = await firstLookUp(engine, request, mode);
  if (found.kind === "noKey") return executeWithoutKey(run, found);
  if (found.kind === "hit") return hitOutcome(run, found.digest, found.hit);
  const { key, missed: first } = found;
  const search = { key, first, mode };
  if (!mode.write) return searchFurther(run, search, { store: false });
  const look = async (): Promise<Hit | undefined> => {
    if (first.reason === "unreadable") return undefined;
    const again = await lookUp(engine, request, key);
    return again.kind === "hit" ? again : undefined;
  };
  // Who does not read gains nothing by waiting.
  const leasePath = mode.read ? engine.leasePath(key.digest.hash) : undefined;
  const waiting = (): void => run.options.onWait?.();
  const wait = await waitForLease(leasePath, look, waiting, request.signal);
  if (wait.kind === "circle") throw runsItself(task);
  if (wait.kind === "found") return hitOutcome(run, key.digest, wait.found);
  const { lease } = wait;
  try {
    // With the lease, so that of all processes of this machine one asks the remote cache and fetches.
    return await searchFurther(run, search, { store: true, lease });
  } finally {
    lease?.release();
  }
}

/** What is not on this machine is looked up in the remote cache, and else run. */
async function searchFurther<E extends Execution>(
  run: TaskRun<E>,
  search: {
    readonly key: ComputedKey;
    readonly first: Missed;
    readonly mode: { readonly read: boolean };
  },
  plan: Pick<RunPlan, "store" | "lease">,
): Promise<TaskOutcome<E>> {
  const { engine, request, execute, options } = run;
  const { key, first } = search;
  const found = search.mode.read ? await fromRemote(engine, request, key, first) : undefined;
  if (found?.kind === "hit") return hitOutcome(run, key.digest, found);
  // What is wrong with a result elsewhere tells more than that there is none here.
  const missed = first.reason === "absent" ? (found ?? first) : first;
  return onceInPlace(run, async () => {
    const miss = await reportMiss(engine, request, key, missed, options);
    return runTask(engine, request, execute, { miss, env: key.env, key, ...plan });
  });
}

async function executeWithoutKey<E extends Execution>(
  run: TaskRun<E>,
  { text, env }: NoKey,
): Promise<TaskOutcome<E>> {
  const { engine, request, execute, options } = run;
  const { name: task } = request.task;
  return onceInPlace(run, () => {
    const message = `${task} is not cached this time: ${text}`;
    engine.emit({ type: "trouble", task, cause: "noKey", message });
    engine.emit({ type: "miss", task, key: undefined, reason: "noKey" });
    const miss: Miss = { reason: "noKey", text };
    options.onMiss?.(miss);
    return runTask(engine, request, execute, { miss, env, key: undefined, store: false });
  });
}

/** Runs the task once the outputs of what comes before it are on disk; all anew, by another key, where something else came of that. */
async function onceInPlace<E extends Execution>(
  run: TaskRun<E>,
  then: () => Promise<TaskOutcome<E>>,
): Promise<TaskOutcome<E>> {
  const { request } = run;
  const dependencies = await withOutputs(request.dependencies);
  await withOutputs(request.after ?? []);
  return areSameStates(dependencies, request.dependencies)
    ? then()
    : executeSeeing({ ...run, request: { ...request, dependencies } });
}

function runsItself(task: string): CuenvError {
  return new CuenvError(
    "RUN_CIRCLE",
    `cannot run ${task}: it is running already, and that run of it started this one`,
    {
      hint: `Something that the command of ${task} starts runs \`cuenv task ${task}\` again (a script of package.json, say). Let the command call the tool itself.`,
    },
  );
}

/** What stands in the way is in the workspace, and does so whoever has the result. */
const notMended: ReadonlySet<MissReason> = new Set(["restoreFailed", "editedOutput"]);

/** What another machine has, where this one has nothing that could be used. */
async function fromRemote(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  { reason }: Missed,
): Promise<LookUp | undefined> {
  if (engine.remote?.reads !== true || notMended.has(reason)) return undefined;
  const { remoteLookUp } = await import("./remote-look-up.ts");
  return remoteLookUp(engine, request, key);
}

async function hitOutcome<E extends Execution>(
  run: TaskRun<E>,
  { hash }: Digest,
  hit: Hit,
): Promise<TaskOutcome<E>> {
  const { engine, request } = run;
  const savedMs = hit.result.durationMs;
  engine.emit({ type: "hit", task: request.task.name, key: hash, tier: hit.tier, savedMs });
  const { keyInputs } = hit.result;
  if (keyInputs !== null)
    engine.lastResults.set(engine.taskId(request.task), { key: hash, keyInputs });
  const state = await dependencyState(engine, request.task, {
    succeeded: true,
    key: hash,
    entries: hit.result.outputs,
  });
  return {
    kind: "hit",
    key: hash,
    tier: hit.tier,
    savedMs,
    restoredFiles: hit.restoredFiles,
    isOutputLeft: hit.isOutputLeft === true,
    streams: { stdout: hit.result.stdout, stderr: hit.result.stderr },
    state: { ...state, absent: absentOutputs(run, hit) },
  };
}

/** What a hit left in the remote cache, itself or in the tasks that it depends on. */
function absentOutputs<E extends Execution>(
  { engine, request, execute, options }: TaskRun<E>,
  { isOutputLeft, result }: Hit,
): AbsentOutputs | undefined {
  const before = [...request.dependencies, ...(request.after ?? [])];
  const beneath = before.filter(({ absent }) => absent !== undefined);
  const paths = isOutputLeft === true ? result.outputs.map(({ path }) => path) : [];
  if (beneath.length === 0 && paths.length === 0) return undefined;
  let bringing: Promise<DependencyState> | undefined;
  const bring = async (): Promise<DependencyState> => {
    const dependencies = await withOutputs(request.dependencies);
    await withOutputs(request.after ?? []);
    // What it printed was given already, and its hit is counted.
    const output = { stdout: () => {}, stderr: () => {} };
    const again: TaskRequest = { ...request, dependencies, output, download: "now" };
    const outcome = await executeTaskWithCache(uncounted(engine), again, execute, options);
    if (outcome.kind === "executed" && outcome.execution.exitCode !== 0)
      throw dependencyFailed(request.task.name, outcome.execution.exitCode);
    return outcome.state;
  };
  return { paths, beneath, bring: () => (bringing ??= bring()) };
}

const countedOnce: ReadonlySet<CacheEvent["type"]> = new Set([
  "keyed",
  "lookup",
  "remoteLookup",
  "hit",
]);

function uncounted(engine: CacheEngine): CacheEngine {
  const emit = (event: CacheEvent): void => {
    if (!countedOnce.has(event.type)) engine.emit(event);
  };
  return { ...engine, emit };
}

async function reportMiss(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  lookedUp: Missed,
  options: ExecuteOptions,
): Promise<Miss> {
  const { reason, detail } = lookedUp;
  engine.emit({ type: "miss", task: request.task.name, key: key.digest.hash, reason });
  const text = reason === "absent" ? (await explain(engine, request, key)).text : detail;
  const miss = { reason, text };
  options.onMiss?.(miss);
  return miss;
}
