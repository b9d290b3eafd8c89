import type { CommandTask } from "@cuenv/config";
import type { CacheEngine } from "./cache-engine.ts";
import { withOutputs } from "./absent-outputs.ts";
import { beginTurn } from "./output-turn.ts";
import { dependencyState } from "./task-state.ts";
import type { DependencyState, Execution } from "./task-request.ts";

/**
 * Runs a task that is not cached, among others that are: those that depend on it must see what it made, and other processes that
 * run those, that it was made anew.
 * @param after tasks that only come before it
 * @throws what `execute` throws; {CuenvError} RUN_DEPENDENCY
 */
export async function executeWithoutCache<E extends Execution>(
  engine: CacheEngine,
  task: CommandTask,
  dependencies: readonly DependencyState[],
  execute: (onStart: (pid: number) => void) => Promise<E>,
  after: readonly DependencyState[] = [],
): Promise<{ readonly execution: E; readonly state: DependencyState }> {
  await withOutputs([...dependencies, ...after]);
  const turn = beginTurn(engine, task, dependencies);
  try {
    const execution = await execute((pid) => turn?.started(pid)).finally(() => {
      engine.index.invalidate("");
      engine.tools.lookAgain();
    });
    const { succeeded, exitCode } = execution;
    const finished = { succeeded, exitCode, key: undefined, entries: undefined };
    return { execution, state: await dependencyState(engine, task, finished) };
  } finally {
    turn?.end();
  }
}
