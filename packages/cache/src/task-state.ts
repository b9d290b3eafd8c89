import { captureOutputs, type OutputEntry } from "@cuenv/cas";
import { ownOutputs } from "./own-outputs.ts";
import type { CommandTask } from "@cuenv/config";
import type { CacheEngine } from "./cache-engine.ts";
import { createHashingStore } from "./hashing-store.ts";
import type { DependencyState } from "./task-request.ts";

/**
 * What a finished task is to those that depend on it.
 *
 * @param finished.key undefined when it is not cached
 * @param finished.entries its outputs, when they are known from its result; else they are hashed where they lie
 */
export async function dependencyState(
  engine: CacheEngine,
  task: CommandTask,
  finished: {
    readonly succeeded: boolean;
    /** Of a run. */
    readonly exitCode?: number;
    readonly key: string | undefined;
    readonly blindSince?: string | undefined;
    readonly entries: readonly OutputEntry[] | undefined;
  },
): Promise<DependencyState> {
  const declaredOutputs = task.outputs ?? [];
  const { key, blindSince, entries, succeeded } = finished;
  // What a failed run left behind is nobody's input by name: tasks that run all the same are not cached then.
  if (!succeeded) {
    const nothing = { key: undefined, outputs: undefined };
    const why = finished.exitCode === 0 ? { hasLeftProcess: true } : { hasFailed: true };
    return { task: task.name, ...nothing, declaredOutputs, ...why };
  }
  if (declaredOutputs.length === 0)
    return { task: task.name, key, outputs: undefined, declaredOutputs, blindSince };
  const outputs = entries ?? (await hashOutputs(engine, task));
  return {
    task: task.name,
    key: outputs === undefined ? undefined : key,
    outputs,
    declaredOutputs,
  };
}

/**
 * The declared outputs as they are on disk, hashed and not stored. Undefined when there is one that cannot be described (a link that
 * leaves the workspace, a FIFO, a file that cannot be read): nobody can say then what a dependent sees.
 */
export async function hashOutputs(
  engine: CacheEngine,
  task: CommandTask,
): Promise<readonly OutputEntry[] | undefined> {
  const captured = await captureOutputs({
    index: engine.index,
    projectDirectory: engine.projectPath,
    outputs: ownOutputs(engine, task.outputs),
    store: createHashingStore(engine.settings.digestFunction),
  });
  return captured.problems.length > 0 ? undefined : captured.entries;
}
