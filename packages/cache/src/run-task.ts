import { type Digest, hashBytes, hashFile } from "@cuenv/digest";
import type { CacheEngine } from "./cache-engine.ts";
import type { NotStoredReason } from "./cache-event.ts";
import { changedInput, changedText } from "./changed-input.ts";
import { type ComputedKey, workingDirectory } from "./compute-key.ts";
import type { Lease } from "./lease.ts";
import { beginTurn } from "./output-turn.ts";
import { createOutputRecorder, type OutputRecorder } from "./output-recorder.ts";
import type { OutputRun } from "./output-writers.ts";
import { keyForDependents } from "./resolved-mode.ts";
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

export interface RunPlan {
  readonly miss: Miss;
  readonly env: Readonly<Record<string, string>>;
  /** Undefined: there is none. */
  readonly key: ComputedKey | undefined;
  readonly store: boolean;
  readonly lease?: Lease | undefined;
}

/** Runs a task that was not found, and stores what it made where the plan says so. @throws what `execute` throws */
export async function runTask<E extends Execution>(
  engine: CacheEngine,
  request: TaskRequest,
  execute: Execute<E>,
  plan: RunPlan,
): Promise<TaskOutcome<E>> {
  const spool = engine.spoolDirectory;
  const recorders = { stdout: createOutputRecorder(spool), stderr: createOutputRecorder(spool) };
  const { miss, key } = plan;
  const turn = beginTurn(engine, request.task, request.dependencies);
  try {
    const versions = engine.rewrittenInputs.versions(plan.store ? (key?.inputs.nodes() ?? []) : []);
    const startedAt = engine.now();
    const execution = await runProcess(engine, request, execute, { ...plan, turn }, recorders);
    const storing: StoredRun =
      key !== undefined && plan.store
        ? await storeResult(engine, {
            request,
            key,
            execution,
            recorders,
            startedAt,
            turn,
            versions,
          })
        : { stored: false, notStored: undefined, entries: undefined, streams: undefined };
    const { stored, notStored, entries, streams } = storing;
    const unsaid = execution.succeeded ? unsaidByKey(engine, request, key, storing) : undefined;
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
        exitCode: execution.exitCode,
        ...(unsaid === undefined
          ? keyForDependents(request, key?.digest.hash)
          : { key: undefined, blindSince: unsaid }),
        entries,
      }),
    };
  } finally {
    turn?.end();
    recorders.stdout.dispose();
    recorders.stderr.dispose();
  }
}

/** Something else than what the key says may have been read. */
const unlikeKey: ReadonlySet<NotStoredReason> = new Set(["inputsChanged", "outputsShared"]);

/**
 * Why the key of a run does not say what it did; undefined: it does. Dependents of a task without outputs know of it by its key alone, and would hit, once the inputs
 * are again what they were, with what came of others.
 */
function unsaidByKey(
  engine: CacheEngine,
  { task }: TaskRequest,
  key: ComputedKey | undefined,
  { stored, notStored }: StoredRun,
): string | undefined {
  if (key === undefined || stored) return undefined;
  if (notStored !== undefined && unlikeKey.has(notStored.reason)) return notStored.detail;
  // Those with outputs count with them. Nobody has looked, where nothing was to be stored.
  if ((task.outputs ?? []).length > 0) return undefined;
  try {
    const changed = changedInput(engine, key);
    return changed === undefined ? undefined : changedText(changed);
  } catch (error) {
    return `its inputs cannot be looked at: ${error instanceof Error ? error.message : String(error)}`;
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
  { env, lease, turn }: RunPlan & { readonly turn: OutputRun | undefined },
  recorders: Recorders,
): Promise<E> {
  const { output, task } = request;
  try {
    const execution = await execute({
      env,
      cwd: `${engine.workspaceRoot}/${workingDirectory(engine, request)}`,
      onStart: (pid) => {
        lease?.noteStart(pid);
        turn?.started(pid);
      },
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
    // A task may write anywhere, undeclared too: what later tasks read is looked at anew, and so are their tools.
    engine.index.invalidate("");
    engine.tools.lookAgain();
  }
}
