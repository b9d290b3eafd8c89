import type { CommandTask, Project } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { selectTasks } from "./select-tasks.ts";
import { createTaskGraph } from "./task-graph.ts";

/** One command of a run. */
export interface PlanNode {
  /** The task's full name; a task is in a plan once. */
  readonly name: string;
  readonly task: CommandTask;
  /**
   * The commands that the task depends on, groups and sequences replaced by their members. A property of the project,
   * not of the run, so that it may go into a key: without dependencies in the plan, some are not among the nodes.
   */
  readonly dependencies: readonly string[];
  /** The commands that this run puts before it for other reasons: earlier steps of a sequence, dependencies of a group that has it as a member by reference. */
  readonly after: readonly string[];
  /** The groups whose `maxConcurrency` counts it; their bounds are in `Plan.limits`. */
  readonly limitedBy: readonly string[];
  /** Asked for by name or pattern, itself or as a member, and not only because another task needs it. */
  readonly named: boolean;
  /** The arguments after `--`, for the tasks that were named. */
  readonly args: readonly string[];
}

/** What a run does: acyclic, every node after all that it waits for. Equal for equal questions. */
export interface Plan {
  readonly nodes: readonly PlanNode[];
  /** Group name → how many of its nodes may run at once. */
  readonly limits: ReadonlyMap<string, number>;
}

export interface PlanOptions {
  /** Full names, or patterns with `*`. */
  readonly names: readonly string[];
  /** Given to every command that `names` select. Groups and sequences take none: which member would be meant is a guess. */
  readonly args?: readonly string[];
  /** False: the named tasks alone. */
  readonly withDependencies?: boolean;
  /** For who only looks: tasks that cannot run here are nodes, too, and no error. */
  readonly withRefused?: boolean;
}

/**
 * The commands that `names` need, in a deterministic order: as named, dependencies first, in the order written.
 * @throws {CuenvError} RUN_TASK_NOT_FOUND, RUN_ARGUMENTS, CONFIG_CYCLE, CONFIG_REFUSED
 */
export function planRun(project: Project, options: PlanOptions): Plan {
  const args = options.args ?? [];
  const selected = selectTasks(project, options.names);
  if (args.length > 0) refuseArgumentsForGroups(project, selected);

  const graph = createTaskGraph(project, options.withDependencies ?? true);
  for (const name of selected) graph.add(name);
  const named = new Set(selected.flatMap((name) => graph.commandsOf(name)));
  const nodes = graph.ordered().map((command): PlanNode => {
    if (command.task.action.kind === "refused" && options.withRefused !== true)
      throw refused(command.task, command.task.action);
    const isNamed = named.has(command.task.name);
    return {
      name: command.task.name,
      task: command.task,
      dependencies: command.dependencies,
      after: [...command.after],
      limitedBy: [...command.limitedBy],
      named: isNamed,
      args: isNamed ? args : [],
    };
  });
  return { nodes, limits: graph.limits };
}

function refuseArgumentsForGroups(project: Project, selected: readonly string[]): void {
  for (const name of selected) {
    const task = project.tasks[name];
    if (task === undefined || task.kind === "command") continue;
    throw new CuenvError(
      "RUN_ARGUMENTS",
      `cannot give arguments to ${JSON.stringify(name)}: it is a ${task.kind} of tasks`,
      {
        hint:
          task.members.length === 0
            ? "leave them out"
            : `name the member that takes them: ${task.members.join(", ")}`,
      },
    );
  }
}

function refused(
  task: CommandTask,
  action: { readonly message: string; readonly hint: string },
): CuenvError {
  return new CuenvError("CONFIG_REFUSED", action.message, {
    hint: action.hint,
    ...(task.location === undefined ? {} : { location: task.location }),
  });
}
