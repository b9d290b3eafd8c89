import type { Project } from "@cuenv/config";
import { bindParameters } from "./bind-parameters.ts";
import { type Plan, type PlanOptions, planRun } from "./plan.ts";
import { resolveAction } from "./resolve-action.ts";

/**
 * The plan of a run whose arguments fit the parameters of its tasks: what is wrong with them is told before what comes before such a task has run.
 * @throws {CuenvError} as planRun
 */
export function planChecked(project: Project, options: PlanOptions): Plan {
  const plan = planRun(project, options);
  for (const { task, args } of plan.nodes) {
    if (task.parameters.length === 0) continue;
    // A script takes no other task's output, so that it can be made as a whole now.
    if (task.action.kind === "shell") resolveAction(task, { args, outputsOf: () => undefined });
    else bindParameters(task, args);
  }
  return plan;
}
