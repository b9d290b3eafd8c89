import type { DependencyState } from "@cuenv/cache";
import { previewTask, readBlob, type TaskPreview } from "@cuenv/cache/explanation";
import { getTaskCacheMode } from "@cuenv/config";
import {
  type ExecutionContext,
  type ExecutionOutcome,
  type Plan,
  type PlanNode,
  runPlan,
} from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import { createRunContext, openCache } from "../run/create-run-context.ts";
import { resolveNode, taskRequest } from "../run/resolve-node.ts";
import type { RunContext } from "../run/run-context.ts";
import { createRunReporter } from "../run/run-reporter.ts";

/** What a run would find of one task. */
export type NodePreview =
  | { readonly kind: "cached"; readonly preview: TaskPreview }
  /** It is not cached, and runs each time. */
  | { readonly kind: "uncached" }
  /** Its key depends on what another task would make. */
  | { readonly kind: "unknown"; readonly because: string };

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
  options: { readonly force: boolean } = { force: false },
): Promise<ReadonlyMap<string, NodePreview>> {
  const reporter = createRunReporter({ verbose: false, single: false, cacheOff: false });
  const isOff = !open.cache.settings.enabled || open.cache.settings.defaultMode === "off";
  const cache = isOff ? undefined : openCache(open, false, reporter);
  const { signal } = new AbortController();
  const asked = { open, plan, force: options.force, json: true, outputMode: undefined };
  const run = createRunContext(asked, cache, reporter, signal);
  const { outcomes } = await runPlan<Payload>(plan, {
    jobs: 1,
    execute: (node, context) => previewNode(run, node, context),
  });
  const previews = new Map<string, NodePreview>();
  for (const [name, outcome] of outcomes) {
    if (outcome.status === "errored") throw outcome.error;
    if ("payload" in outcome) previews.set(name, outcome.payload.node);
  }
  return previews;
}

async function previewNode(
  run: RunContext,
  node: PlanNode,
  { dependencies, signal }: ExecutionContext<Payload>,
): Promise<ExecutionOutcome<Payload>> {
  const payload = await payloadOf(run, node, dependencies, signal);
  return { status: "succeeded", exitCode: 0, durationMs: 0, outputComplete: true, payload };
}

async function payloadOf(
  run: RunContext,
  node: PlanNode,
  dependencies: ExecutionContext<Payload>["dependencies"],
  signal: AbortSignal,
): Promise<Payload> {
  const { name, task } = node;
  const states: DependencyState[] = [];
  const mode = getTaskCacheMode(run.settings, task.cache);
  const { engine } = run;
  if (engine === undefined || mode === "off") {
    const { outputs = [] } = task;
    const unknown = { task: name, key: undefined, outputs: undefined, declaredOutputs: [] };
    return { node: { kind: "uncached" }, state: outputs.length === 0 ? unknown : undefined };
  }
  for (const [dependency, outcome] of dependencies) {
    const state = "payload" in outcome ? outcome.payload.state : undefined;
    if (state === undefined || (run.referenced.has(dependency) && !run.outputs.has(dependency)))
      return { node: { kind: "unknown", because: dependency }, state: undefined };
    states.push(state);
  }
  const silent = { stdout: () => {}, stderr: () => {} };
  const resolved = await resolveNode(run, node, silent, signal);
  const preview = await previewTask(engine, taskRequest(run, node, { ...resolved, mode, states }));
  if (preview.result !== undefined && run.referenced.has(name)) {
    const { stdout, stderr } = preview.result;
    const bytesOf = (digest: typeof stdout): Promise<Uint8Array> | Uint8Array =>
      digest === null ? new Uint8Array() : readBlob(engine.blobs, digest, digest.sizeBytes);
    run.outputs.set(name, {
      stdout: await bytesOf(stdout),
      stderr: await bytesOf(stderr),
      exitCode: 0,
    });
  }
  return { node: { kind: "cached", preview }, state: preview.state };
}
