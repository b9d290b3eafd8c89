import type { CacheEngine, DependencyState } from "@cuenv/cache";
import { dependencyState, keyForDependents, previewTask } from "@cuenv/cache/explanation";
import { getTaskCacheMode } from "@cuenv/config";
import type { Plan, PlanNode } from "@cuenv/runner";
import { printedOutput } from "../preview/printed-output.ts";
import { resolveNode, taskRequest } from "./resolve-node.ts";
import type { RunContext } from "./run-context.ts";

/**
 * What the direct dependencies of a plan's tasks are that are not in it, since somebody else ran them before: their outputs as they lie
 * there; without outputs, the key that they have now. So a task has the key that it has in a run of all of them.
 * @throws {CuenvError} for what is wrong with a dependency (a pattern, a secret that cannot be read)
 */
export async function takenStates(
  run: RunContext,
  engine: CacheEngine,
  plan: Plan,
  whole: Plan,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, DependencyState>> {
  const inPlan = new Set(plan.nodes.map(({ name }) => name));
  const nodes = new Map(whole.nodes.map((node) => [node.name, node]));
  const known = new Map<string, DependencyState>();
  const take = async (name: string): Promise<readonly DependencyState[]> => {
    const before = known.get(name);
    if (before !== undefined) return [before];
    const node = nodes.get(name);
    if (node === undefined || inPlan.has(name)) return [];
    const state = await stateOf(node);
    known.set(name, state);
    return [state];
  };
  const stateOf = async (node: PlanNode): Promise<DependencyState> => {
    const { task } = node;
    const mode = getTaskCacheMode(run.settings, task.cache);
    const hasOutputs = (task.outputs ?? []).length > 0;
    const isPrinted = run.referenced.has(node.name);
    if (mode === "off" || (hasOutputs && !isPrinted) || task.action.kind === "refused")
      return dependencyState(engine, task, { succeeded: true, key: undefined, entries: undefined });
    const states: DependencyState[] = [];
    for (const name of node.dependencies) states.push(...(await take(name)));
    const silent = { stdout: () => {}, stderr: () => {} };
    const resolved = await resolveNode(run, node, silent, signal);
    const { key, result, blobs } = await previewTask(
      engine,
      taskRequest(run, node, { ...resolved, mode, states }),
      { hasInputs: false },
    );
    if (isPrinted && result !== undefined)
      run.outputs.set(node.name, await printedOutput(blobs, result));
    const ofKey = keyForDependents({ dependencies: states }, key);
    return dependencyState(engine, task, { succeeded: true, ...ofKey, entries: undefined });
  };
  for (const { dependencies } of plan.nodes) for (const name of dependencies) await take(name);
  return known;
}
