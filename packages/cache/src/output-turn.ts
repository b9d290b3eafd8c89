import type { CommandTask } from "@cuenv/config";
import type { CacheEngine } from "./cache-engine.ts";
import type { OutputRun } from "./output-writers.ts";
import type { DependencyState } from "./task-request.ts";

/**
 * Tells the other processes that a task begins. Undefined: it neither writes outputs nor reads those of a dependency (an empty list of outputs has none), so any
 * number of processes may run it at once; or nobody else can be told.
 */
export function beginTurn(
  engine: CacheEngine,
  task: CommandTask,
  dependencies: readonly DependencyState[],
): OutputRun | undefined {
  const writes = hasOutputs(task.outputs ?? []);
  const reads = dependencies.some(sharesOutputs);
  return writes || reads ? engine.writers?.begin(engine.taskId(task), writes) : undefined;
}

export function sharesOutputs({ declaredOutputs }: DependencyState): boolean {
  return hasOutputs(declaredOutputs);
}

function hasOutputs(patterns: readonly string[]): boolean {
  return patterns.some((pattern) => !pattern.startsWith("!"));
}
