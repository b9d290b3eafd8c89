import type { DependencyState } from "@cuenv/cache";
import {
  type Cause,
  engineAfterRestores,
  ownCauses,
  previewAfterBlind,
  previewTask,
  type TaskPreview,
  type UnknownDependency,
} from "@cuenv/cache/explanation";
import { getTaskCacheMode } from "@cuenv/config";
import {
  type ExecutionContext,
  keepHeapSmallFor,
  type Plan,
  type PlanNode,
  runPlan,
} from "@cuenv/runner";
import { uncachedReason } from "../configuration/task-rows.ts";
import type { OpenProject } from "../project/open-project.ts";
import { createRunContext, openCache } from "../run/create-run-context.ts";
import { resolveNode, taskRequest } from "../run/resolve-node.ts";
import type { RunContext } from "../run/run-context.ts";
import { createRunReporter } from "../run/run-reporter.ts";
import { firstRead, makersBefore } from "./makers-before.ts";
import { printedOutput } from "./printed-output.ts";

/** What a run would find of one task. */
export type NodePreview =
  | { readonly kind: "cached"; readonly preview: TaskPreview }
  /** It is not cached, and runs each time. */
  | { readonly kind: "uncached"; readonly reason: string }
  /** Its key depends on what another task would make. */
  | UnknownNode;

export interface UnknownNode {
  readonly kind: "unknown";
  /** The dependency that would run. */
  readonly because: string;
  /** What makes it a miss whatever that one makes. */
  readonly causes: readonly Cause[];
  /** Whether it had a result here before. */
  readonly hasEarlier: boolean;
}

interface Payload {
  readonly node: NodePreview;
  /** Undefined: nobody knows before it ran. */
  readonly state: DependencyState | undefined;
}

/**
 * Looks every task of a plan up, in order, as a run would, and runs nothing but what keys need: the commands of tools and secrets.
 * @throws what made a task impossible to look at, the first in the order of the plan
 */
export async function previewPlan(
  open: OpenProject,
  plan: Plan,
  options: {
    readonly force?: boolean;
    /** Somebody asks for `keyInputs` of the previews. */
    readonly hasInputs?: boolean;
  } = {},
): Promise<ReadonlyMap<string, NodePreview>> {
  keepHeapSmallFor(plan);
  const reporter = createRunReporter({ verbose: false, single: false, cacheOff: false });
  const isOff = !open.cache.settings.enabled || open.cache.settings.defaultMode === "off";
  const cache = isOff ? undefined : openCache(open, false, reporter);
  const { signal } = new AbortController();
  const { force = false, hasInputs = false } = options;
  const asked = { open, plan, force, json: true, outputMode: undefined };
  const context = createRunContext(asked, cache, reporter, signal);
  const after = context.engine && engineAfterRestores(context.engine);
  const run = { ...context, engine: after?.engine };
  const makers = makersBefore(plan);
  const { outcomes } = await runPlan<Payload>(plan, {
    jobs: 1,
    execute: async (node, { dependencies }) => {
      const before = { dependencies, makers: makers.before(node), hasInputs };
      const payload = await payloadOf(run, node, before, signal);
      if (payload.state === undefined) makers.add(node);
      const { node: found } = payload;
      if (found.kind === "cached" && found.preview.changes !== undefined)
        after?.add(found.preview.changes);
      return { status: "succeeded", exitCode: 0, durationMs: 0, outputComplete: true, payload };
    },
  });
  await cache?.close();
  const previews = new Map<string, NodePreview>();
  for (const [name, outcome] of outcomes) {
    if (outcome.status === "errored") throw outcome.error;
    if ("payload" in outcome) previews.set(name, outcome.payload.node);
  }
  return previews;
}

interface Before {
  readonly dependencies: ExecutionContext<Payload>["dependencies"];
  readonly makers: readonly PlanNode[];
  readonly hasInputs: boolean;
}

async function payloadOf(
  run: RunContext,
  node: PlanNode,
  { dependencies, makers, hasInputs }: Before,
  signal: AbortSignal,
): Promise<Payload> {
  const { name, task } = node;
  const mode = getTaskCacheMode(run.settings, task.cache);
  const { engine } = run;
  if (engine === undefined || mode === "off") {
    const { outputs = [] } = task;
    const unknown = { task: name, key: undefined, outputs: undefined, declaredOutputs: [] };
    const reason = uncachedReason(run.settings, task.cache);
    return {
      node: { kind: "uncached", reason },
      state: outputs.length === 0 ? unknown : undefined,
    };
  }
  const { states, known, unknown, isPrinted } = dependencyStates(run, dependencies);
  const [because] = unknown;
  if (because !== undefined && !isPrinted) {
    const preview = previewAfterBlind(engine, known);
    if (preview !== undefined) return { node: { kind: "cached", preview }, state: undefined };
    return { node: unknownNode(because.task, undefined), state: undefined };
  }
  const silent = { stdout: () => {}, stderr: () => {} };
  const resolved = await resolveNode(run, node, silent, signal);
  const request = taskRequest(run, node, { ...resolved, mode, states });
  if (because !== undefined) {
    const causes = await ownCauses(engine, request, unknown);
    return { node: unknownNode(because.task, causes), state: undefined };
  }
  const preview = await previewTask(engine, request, {
    hasInputs: hasInputs || makers.length > 0,
  });
  const maker = firstRead(makers, node, { preview, projectDirectory: engine.projectPath });
  if (maker !== undefined) return { node: unknownNode(maker, undefined), state: undefined };
  if (preview.result !== undefined && run.referenced.has(name))
    run.outputs.set(name, await printedOutput(preview.blobs, preview.result));
  return { node: { kind: "cached", preview }, state: preview.state };
}

function unknownNode(because: string, causes: readonly Cause[] | undefined): UnknownNode {
  return { kind: "unknown", because, causes: causes ?? [], hasEarlier: causes !== undefined };
}

interface DependencyStates {
  /** All whose key or outputs are known before the run. */
  readonly known: readonly DependencyState[];
  /** Of these, without those whose output the task uses and nobody knows. */
  readonly states: readonly DependencyState[];
  /** Those that would run first. */
  readonly unknown: readonly UnknownDependency[];
  /** Whether what they print is known, where the task refers to it. */
  readonly isPrinted: boolean;
}

function dependencyStates(
  run: RunContext,
  dependencies: ExecutionContext<Payload>["dependencies"],
): DependencyStates {
  const known: DependencyState[] = [];
  const states: DependencyState[] = [];
  const unknown: UnknownDependency[] = [];
  let isPrinted = true;
  for (const [task, outcome] of dependencies) {
    const state = "payload" in outcome ? outcome.payload.state : undefined;
    const isKnown = !run.referenced.has(task) || run.outputs.has(task);
    isPrinted &&= isKnown;
    if (state !== undefined) known.push(state);
    if (state !== undefined && isKnown) states.push(state);
    else unknown.push({ task, declaredOutputs: declaredOutputs(run, task) });
  }
  return { known, states, unknown, isPrinted };
}

function declaredOutputs({ open }: RunContext, name: string): readonly string[] {
  const task = open.project.tasks[name];
  return (task?.kind === "command" ? task.outputs : undefined) ?? [];
}
