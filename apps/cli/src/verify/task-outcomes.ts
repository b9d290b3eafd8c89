import type { TaskOutcome } from "@cuenv/cache";
import { planRun, type RunSummary } from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import type { CommandExecution, NodePayload } from "../run/run-context.ts";
import { runTasks } from "../run/run-tasks.ts";

export type CachedOutcome = TaskOutcome<CommandExecution>;

export interface TaskOutcomes {
  /** What the cache gave or the cached tasks did, by name of the task. */
  readonly outcomes: ReadonlyMap<string, CachedOutcome>;
  readonly exitCode: number;
  /** Somebody ended the run: whoever began it is to do nothing more. */
  readonly isInterrupted: boolean;
}

export interface TaskOutcomesOptions {
  readonly names: readonly string[];
  readonly args?: readonly string[];
  /** The named tasks run, whatever is stored. */
  readonly force: boolean;
  /** Nothing is shown but warnings, errors of ours and failures. */
  readonly quiet: boolean;
}

/** Runs tasks and what they need as a build would, all of their output on stderr: stdout is a report's. */
export async function taskOutcomes(
  open: OpenProject,
  { names, args = [], force, quiet }: TaskOutcomesOptions,
): Promise<TaskOutcomes> {
  const summary = await runTasks({
    open,
    plan: planRun(open.project, { names, args }),
    force,
    jobs: undefined,
    verbose: false,
    json: true,
    continueOnError: true,
    outputMode: undefined,
    strictSignatures: false,
    quiet,
  });
  const outcomes = new Map<string, CachedOutcome>();
  for (const [name, outcome] of summary.outcomes) {
    if ("payload" in outcome && outcome.payload.cache !== undefined)
      outcomes.set(name, outcome.payload.cache);
  }
  return { outcomes, exitCode: summary.exitCode, isInterrupted: isInterrupted(summary) };
}

/** Also one that was interrupted when its tasks were over, and none had failed. */
function isInterrupted({ outcomes, failed, exitCode }: RunSummary<NodePayload>): boolean {
  const isCut = [...outcomes.values()].some(
    (outcome) =>
      outcome.status === "cancelled" ||
      (outcome.status === "skipped" && outcome.reason.kind === "interrupted"),
  );
  return isCut || (failed.length === 0 && exitCode > 128);
}
