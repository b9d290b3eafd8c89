import { referencedDigests, type TaskResult } from "@cuenv/action-cache";
import { captureOutputs, type OutputEntry } from "@cuenv/cas";
import { hashBytes } from "@cuenv/digest";
import { hostPlatform, keySchema } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { NotStoredReason } from "./cache-event.ts";
import { changedInput, changedText } from "./changed-input.ts";
import type { ComputedKey } from "./compute-key.ts";
import { untouchedInput } from "./edited-output.ts";
import { findSecret } from "./find-secret.ts";
import type { OutputRecorder } from "./output-recorder.ts";
import { sharesOutputs } from "./output-turn.ts";
import type { OutputRun } from "./output-writers.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { Execution, Streams, TaskRequest } from "./task-request.ts";

export interface RunToStore {
  readonly request: TaskRequest;
  readonly key: ComputedKey;
  readonly execution: Execution;
  readonly recorders: { readonly stdout: OutputRecorder; readonly stderr: OutputRecorder };
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined: it has nothing to do with outputs, or nobody else can be seen. */
  readonly turn: OutputRun | undefined;
  /** Of its input files, before it ran. */
  readonly versions: ReadonlyMap<string, string>;
}

export interface StoredRun {
  readonly stored: boolean;
  readonly notStored: { readonly reason: NotStoredReason; readonly detail: string } | undefined;
  /** The declared outputs, when they were captured. */
  readonly entries: readonly OutputEntry[] | undefined;
  readonly streams: Streams | undefined;
}

/**
 * Stores a run: outputs, streams and key inputs first, the entry that names them last. Only a successful run whose inputs
 * are still what its key says is stored. Never throws for what a store does.
 */
export async function storeResult(engine: CacheEngine, run: RunToStore): Promise<StoredRun> {
  if (!run.execution.succeeded) return refused("notWritten", "it failed");
  const started = process.uptime() * 1000;
  try {
    const stored = await tryStore(engine, run);
    if (stored.stored) {
      const key = run.key.digest.hash;
      engine.emit({
        type: "stored",
        task: run.request.task.name,
        key,
        durationMs: process.uptime() * 1000 - started,
      });
    }
    return stored;
  } catch (error) {
    if (run.request.signal?.aborted === true) return refused("notWritten", "interrupted");
    const detail = error instanceof Error ? error.message : String(error);
    engine.emit({
      type: "trouble",
      task: undefined,
      cause: "unavailable",
      message: `results are not stored: ${detail}`,
    });
    return refused("storeUnavailable", detail);
  }
}

function refused(reason: NotStoredReason, detail: string): StoredRun {
  return { stored: false, notStored: { reason, detail }, entries: undefined, streams: undefined };
}

async function tryStore(engine: CacheEngine, run: RunToStore): Promise<StoredRun> {
  const { request, key, recorders } = run;
  const unacceptable = await engine.unacceptableSigner();
  // It would replace an entry that others use by one that nobody does.
  if (unacceptable !== undefined) return refused("untrustedSigner", unacceptable);
  const stdout = recorders.stdout.source();
  const stderr = recorders.stderr.source();
  if (stdout === undefined || stderr === undefined)
    return refused("outputTooLarge", "its output could not be recorded");
  const keyInputs = Buffer.from(JSON.stringify(key.action.keyInputs()));
  const secret = await findSecret(engine, request, keyInputs);
  if (secret !== undefined) return refused("secretInOutput", secret);
  const captured = await captureOutputs({
    index: engine.index,
    projectDirectory: engine.projectPath,
    outputs: ownOutputs(engine, request.task.outputs),
    store: engine.blobs,
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  const [problem] = captured.problems;
  if (problem !== undefined) return refused("unsuitableOutput", problem.message);
  for (const output of captured.missing) {
    engine.emit({ type: "outputNotMade", task: request.task.name, output });
  }
  await tellUntouchedInput(engine, run, captured.entries);
  const keyInputsDigest = hashBytes(engine.settings.digestFunction, keyInputs);
  await engine.blobs.write(keyInputsDigest, keyInputs);
  const streams = {
    stdout: await engine.blobs.ingest(stdout),
    stderr: await engine.blobs.ingest(stderr),
  };
  request.signal?.throwIfAborted();
  // Last: while the outputs were read, somebody may have edited a source, and another run made them anew of it.
  engine.index.invalidate("");
  const changed = changedInput(engine, key);
  if (changed !== undefined) return refused("inputsChanged", changedText(changed));
  const rewritten = engine.rewrittenInputs.unexpected(engine.taskId(request.task), run.versions);
  // Of another run that wrote it is known who it was.
  const disturbed = disturbedTask(engine, run);
  if (disturbed !== undefined) return refused("outputsShared", disturbed);
  if (rewritten !== undefined)
    return refused(
      "inputsChanged",
      `its input ${rewritten} was written while it ran, and may have been another in between`,
    );
  const result: TaskResult = {
    ...describe(engine, run, captured.entries),
    ...streams,
    keyInputs: keyInputsDigest,
  };
  if (engine.strangers.has(key.digest.hash)) await engine.actions.quarantine(key.digest);
  const entry = await engine.actions.put(result);
  sendToRemote(engine, run, result, entry);
  engine.lastResults.set(engine.taskId(request.task), {
    key: key.digest.hash,
    keyInputs: keyInputsDigest,
  });
  const { entries } = captured;
  if (engine.isInMemory()) {
    const detail = "the disk could not take it";
    return { stored: false, notStored: { reason: "storeUnavailable", detail }, entries, streams };
  }
  return { stored: true, notStored: undefined, entries, streams };
}

function disturbedTask(engine: CacheEngine, { request, turn }: RunToStore): string | undefined {
  const read = request.dependencies.filter(sharesOutputs);
  const idOf = (name: string): string => engine.taskId({ name });
  const id = turn?.disturbed(read.map(({ task, key }) => ({ task: idOf(task), key })));
  if (id === undefined) return undefined;
  if (turn?.isForgotten() === true)
    return "the cache folder was emptied while it ran, and with it what other runs of cuenv said of the outputs that they write";
  const dependency =
    id === idOf(request.task.name) ? undefined : read.find(({ task }) => idOf(task) === id);
  const whose = dependency === undefined ? "its outputs" : `the outputs of ${dependency.task}`;
  return `another cuenv wrote ${whose} while it ran`;
}

async function tellUntouchedInput(
  engine: CacheEngine,
  { request, startedAt }: RunToStore,
  outputs: readonly OutputEntry[],
): Promise<void> {
  const path = await untouchedInput(engine, request, outputs, startedAt);
  if (path === undefined) return;
  const message = `its input ${path} is stored as one of its outputs, though it did not write it, and does not count as an input: \`!\` takes it out of one of the two`;
  engine.emit({ type: "note", task: request.task.name, message });
}

function sendToRemote(
  engine: CacheEngine,
  { request, key }: RunToStore,
  result: TaskResult,
  entry: Uint8Array,
): void {
  const { action, command, commandDigest, digest } = key.action;
  engine.upload?.({
    task: request.task.name,
    key: { digest, namespace: engine.settings.namespace },
    blobs: referencedDigests(result),
    entry,
    messages: [
      { digest: commandDigest, bytes: command },
      { digest, bytes: action },
    ],
  });
}

function describe(
  engine: CacheEngine,
  run: RunToStore,
  outputs: readonly OutputEntry[],
): Omit<TaskResult, "stdout" | "stderr" | "keyInputs"> {
  const { settings } = engine;
  return {
    key: { ...run.key.digest, function: settings.digestFunction },
    namespace: settings.namespace,
    outputs,
    declaredOutputs: run.key.action.keyInputs().outputs,
    exitCode: run.execution.exitCode,
    keyEpoch: run.request.task.cache.keyEpoch ?? settings.keyEpoch,
    keySchema,
    builder: { id: "local", version: engine.version, ...hostPlatform() },
    provenance: engine.provenance(),
    startedAt: new Date(run.startedAt).toISOString(),
    durationMs: Math.round(run.execution.durationMs),
  };
}
