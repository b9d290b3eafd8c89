import type { DependencyState, OutputSink, TaskRequest } from "@cuenv/cache";
import {
  type PlanNode,
  resolveAction,
  resolveEnvironment,
  type ResolvedEnvironment,
  secretTexts,
} from "@cuenv/runner";
import type { RunContext, TaskScope } from "./run-context.ts";

/** A task with nothing left to look up: references to outputs filled in, secrets read. */
export interface Resolved {
  readonly argv: readonly string[];
  readonly environment: ResolvedEnvironment;
  readonly output: OutputSink;
  readonly signal: AbortSignal;
}

export async function resolveNode(
  run: RunContext,
  node: PlanNode,
  output: OutputSink,
  signal: AbortSignal,
): Promise<Resolved> {
  const { task } = node;
  const outputsOf = (name: string) => run.outputs.get(name);
  const { argv } = resolveAction(task, { args: node.args, outputsOf });
  const environment = await resolveEnvironment(
    { ...run.open.project.env, ...task.env },
    { outputsOf, resolveSecret: run.resolveSecret, host: run.hostEnvironment, task },
  );
  run.masker.add(environment.secretValues);
  if (environment.secretValues.length > 0) {
    const { hideSecrets } = await import("../report/hidden-secrets.ts");
    hideSecrets(secretTexts(environment.secretValues));
  }
  return { argv, environment, output, signal };
}

/** What came of the tasks that a task depends on, and of those that only come before it. */
export interface StatesBefore {
  readonly states: readonly DependencyState[];
  /** Default: none. */
  readonly after?: readonly DependencyState[];
}

/** Whether `--download` or `--replay` has a task in it. */
export function isMeant(which: TaskScope, { named }: PlanNode): boolean {
  return which === "all" || (which === "toplevel" && named);
}

/** What the engine is asked. */
export function taskRequest(
  run: RunContext,
  node: PlanNode,
  resolved: Resolved & Pick<TaskRequest, "mode" | "replay"> & StatesBefore,
): TaskRequest {
  const { environment, argv, mode, states, after = [], output, replay, signal } = resolved;
  return {
    task: node.task,
    mode,
    force: run.force && node.named,
    argv,
    variables: environment.values,
    secretNames: environment.secretNames,
    secretValues: secretTexts(environment.secretValues),
    hostEnvironment: run.hostEnvironment,
    keyedEnvironment: run.keyedEnvironment,
    dependencies: states,
    after,
    output,
    replay,
    signal,
    download: isMeant(run.download, node) ? "now" : "whenNeeded",
  };
}
