import { type Digest, hashBytes, hashFile } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { CacheEngine } from "./cache-engine.ts";
import { type ComputedKey, computeKey, workingDirectory } from "./compute-key.ts";
import { explain } from "./explain.ts";
import type { Lease } from "./lease.ts";
import { type Hit, lookUp, type LookUp } from "./look-up.ts";
import { createOutputRecorder, type OutputRecorder } from "./output-recorder.ts";
import { isBlind, resolvedMode } from "./resolved-mode.ts";
import { type StoredRun, storeResult } from "./store-result.ts";
import type {
  Execute,
  Execution,
  Miss,
  Streams,
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
  const started = performance.now();
  const computed = await computeKey(engine, request);
  engine.emit({
    type: "keyed",
    task: request.task.name,
    durationMs: performance.now() - started,
  });
  if (computed.kind === "noKey") {
    engine.emit({
      type: "trouble",
      task: request.task.name,
      cause: "noKey",
      message: computed.text,
    });
    engine.emit({ type: "miss", task: request.task.name, key: undefined, reason: "noKey" });
    const miss: Miss = { reason: "noKey", text: computed.text };
    options.onMiss?.(miss);
    return runTask(engine, request, execute, {
      miss,
      env: computed.env,
      key: undefined,
      store: false,
    });
  }
  const { key } = computed;
  const mode = resolvedMode(request);
  const first: LookUp = mode.read ? await timedLookUp(engine, request, key) : notRead(request);
  if (first.kind === "hit") return hitOutcome(engine, request, key, first);
  if (!mode.write) {
    const miss = await reportMiss(engine, request, key, first, options);
    return runTask(engine, request, execute, { miss, env: key.env, key, store: false });
  }
  const look = async (): Promise<Hit | undefined> => {
    if (first.reason === "unreadable") return undefined;
    const again = await lookUp(engine, request, key);
    return again.kind === "hit" ? again : undefined;
  };
  // Who does not read gains nothing by waiting.
  const leasePath = mode.read ? engine.leasePath(key.digest.hash) : undefined;
  const wait = await waitForLease(leasePath, look, () => options.onWait?.(), request.signal);
  if (wait.kind === "circle") throw runsItself(request.task.name);
  if (wait.kind === "found") return hitOutcome(engine, request, key, wait.found);
  const { lease } = wait;
  try {
    const miss = await reportMiss(engine, request, key, first, options);
    return await runTask(engine, request, execute, { miss, env: key.env, key, store: true, lease });
  } finally {
    lease?.release();
  }
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

async function timedLookUp(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<LookUp> {
  const started = performance.now();
  const found = await lookUp(engine, request, key);
  const durationMs = performance.now() - started;
  engine.emit({ type: "lookup", task: request.task.name, key: key.digest.hash, durationMs });
  return found;
}

/** A dependency that ran, is not cached and declares no outputs: nobody can say whether the same things came of it. */
export function notRead(request: TaskRequest): LookUp & { readonly kind: "miss" } {
  const blind = request.dependencies.find(isBlind);
  if (blind !== undefined) {
    return {
      kind: "miss",
      reason: "uncachedDependency",
      detail: `${blind.task} ran, which is not cached and declares no outputs`,
    };
  }
  return {
    kind: "miss",
    reason: "notRead",
    detail: request.force ? "forced" : "the cache is not read",
  };
}

async function hitOutcome<E extends Execution>(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  hit: Hit,
): Promise<TaskOutcome<E>> {
  const { hash } = key.digest;
  const savedMs = hit.result.durationMs;
  engine.emit({ type: "hit", task: request.task.name, key: hash, tier: hit.tier, savedMs });
  const { keyInputs } = hit.result;
  if (keyInputs !== null)
    engine.lastResults.set(engine.taskId(request.task), { key: hash, keyInputs });
  return {
    kind: "hit",
    key: hash,
    tier: hit.tier,
    savedMs,
    restoredFiles: hit.restoredFiles,
    streams: { stdout: hit.result.stdout, stderr: hit.result.stderr },
    state: await dependencyState(engine, request.task, {
      succeeded: true,
      key: hash,
      entries: hit.result.outputs,
    }),
  };
}

async function reportMiss(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  lookedUp: LookUp & { readonly kind: "miss" },
  options: ExecuteOptions,
): Promise<Miss> {
  const { reason, detail } = lookedUp;
  engine.emit({ type: "miss", task: request.task.name, key: key.digest.hash, reason });
  const text = reason === "absent" ? (await explain(engine, request, key)).text : detail;
  const miss = { reason, text };
  options.onMiss?.(miss);
  return miss;
}

interface RunPlan {
  readonly miss: Miss;
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: there is none. */
  readonly key: ComputedKey | undefined;
  readonly store: boolean;
  readonly lease?: Lease | undefined;
}

async function runTask<E extends Execution>(
  engine: CacheEngine,
  request: TaskRequest,
  execute: Execute<E>,
  plan: RunPlan,
): Promise<TaskOutcome<E>> {
  const spool = engine.spoolDirectory;
  const recorders = { stdout: createOutputRecorder(spool), stderr: createOutputRecorder(spool) };
  const { miss, key } = plan;
  try {
    const startedAt = engine.now();
    const execution = await runProcess(engine, request, execute, plan, recorders);
    const { stored, notStored, entries, streams }: StoredRun =
      key !== undefined && plan.store
        ? await storeResult(engine, { request, key, execution, recorders, startedAt })
        : { stored: false, notStored: undefined, entries: undefined, streams: undefined };
    if (notStored !== undefined && execution.succeeded) {
      engine.emit({ type: "notStored", task: request.task.name, ...notStored });
    }
    return {
      kind: "executed",
      key: key?.digest.hash,
      miss,
      execution,
      stored,
      notStored: execution.succeeded ? notStored : undefined,
      streams:
        streams ?? (request.force && execution.succeeded ? hashed(engine, recorders) : undefined),
      state: await dependencyState(engine, request.task, {
        succeeded: execution.succeeded,
        key: key?.digest.hash,
        entries,
      }),
    };
  } finally {
    recorders.stdout.dispose();
    recorders.stderr.dispose();
  }
}

/** Who forces a run may want to compare it with a stored one, also where nothing is stored. */
function hashed(engine: CacheEngine, { stdout, stderr }: Recorders): Streams {
  const digestOf = (recorder: OutputRecorder): Digest | null => {
    const source = recorder.source();
    if (source === undefined) return null;
    const { digestFunction } = engine.settings;
    return source instanceof Uint8Array
      ? hashBytes(digestFunction, source)
      : hashFile(digestFunction, source.path).digest;
  };
  return { stdout: digestOf(stdout), stderr: digestOf(stderr) };
}

interface Recorders {
  readonly stdout: OutputRecorder;
  readonly stderr: OutputRecorder;
}

async function runProcess<E extends Execution>(
  engine: CacheEngine,
  request: TaskRequest,
  execute: Execute<E>,
  { env, lease }: RunPlan,
  recorders: Recorders,
): Promise<E> {
  const { output, task } = request;
  try {
    const execution = await execute({
      env,
      cwd: `${engine.workspaceRoot}/${workingDirectory(engine, request)}`,
      onStart: (pid) => lease?.noteStart(pid),
      output: {
        stdout: (chunk) => {
          recorders.stdout.add(chunk);
          return output.stdout(chunk);
        },
        stderr: (chunk) => {
          recorders.stderr.add(chunk);
          return output.stderr(chunk);
        },
      },
    });
    engine.emit({ type: "executed", task: task.name, durationMs: execution.durationMs });
    return execution;
  } finally {
    // A task may write anywhere, undeclared too: what later tasks read is looked at anew.
    engine.index.invalidate("");
  }
}
