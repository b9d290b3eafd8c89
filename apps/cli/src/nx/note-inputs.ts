import { isWritable } from "@cuenv/config";
import type { KeyInputs } from "@cuenv/cache/explanation";
import { keyInputsOf } from "@cuenv/cache/explanation";
import type { CacheEngine } from "@cuenv/cache";
import type { Plan, PlanNode } from "@cuenv/runner";
import { openCache } from "../run/create-run-context.ts";
import { type Resolved, taskRequest } from "../run/resolve-node.ts";
import type { RunContext } from "../run/run-context.ts";
import type { RunReporter } from "../run/run-reporter.ts";
import { takenStates } from "../run/taken-states.ts";
import { writeNotedInputs } from "./noted-inputs.ts";

export interface NoteInputsOptions {
  readonly run: RunContext;
  readonly reporter: RunReporter;
  readonly plan: Plan;
  readonly whole: Plan;
  /** Under which Nx will keep the result. */
  readonly hash: string;
}

/** Keeps what a task's key would be made of while Nx has the task run, for `cuenv nx why`. Never rejects. */
export async function noteInputs(
  options: NoteInputsOptions,
  node: PlanNode,
  resolved: Resolved,
): Promise<void> {
  const { run, reporter, hash } = options;
  const { open, settings } = run;
  const isKept = settings.enabled && isWritable(settings.defaultMode);
  if (!isKept || !node.task.cache.enabled) return;
  try {
    const { engine } = openCache(open, false, reporter);
    const keyInputs = await currentInputs({ ...options, engine }, node, resolved);
    if (keyInputs === undefined) return;
    writeNotedInputs(open, node.name, { hash, at: new Date().toISOString(), keyInputs });
  } catch {
    // The task runs, whatever is wrong with this.
  }
}

/** What the key is made of now, of dependencies that somebody else ran as they lie there. */
export async function currentInputs(
  {
    run,
    plan,
    whole,
    engine,
  }: Pick<NoteInputsOptions, "run" | "plan" | "whole"> & { readonly engine: CacheEngine },
  node: PlanNode,
  resolved: Resolved,
): Promise<KeyInputs | undefined> {
  const { signal } = resolved;
  const taken = await takenStates(run, engine, plan, whole, signal);
  const states = node.dependencies.flatMap((name) => taken.get(name) ?? []);
  return keyInputsOf(engine, taskRequest(run, node, { ...resolved, mode: "read-write", states }));
}
