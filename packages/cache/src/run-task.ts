import { type Digest, hashBytes, hashFile } from "@cuenv/digest";
import type { CacheEngine } from "./cache-engine.ts";
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
    const versions = engine.rewrittenInputs.versions(
      plan.store ? (key?.inputs.ownNodes() ?? []) : [],
    );
    const startedAt = engine.now();
    const execution = await runProcess(engine, request, execute, { ...plan, turn }, recorders);
    const { stored, notStored, entries, streams }: StoredRun =
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
        ...keyForDependents(request, key?.digest.hash),
        entries,
      }),
    };
  } finally {
    turn?.end();
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
    // A task may write anywhere, undeclared too: what later tasks read is looked at anew.
    engine.index.invalidate("");
  }
}
