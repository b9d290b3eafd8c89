import type { CommandTask, Project } from "@cuenv/config";
import { planRun, type PlanNode } from "@cuenv/runner";

/** One task of a graph, as scripts see it. */
export interface GraphTask {
  readonly name: string;
  readonly description: string | null;
  /** What it runs, in one line. */
  readonly command: string | null;
  readonly cached: boolean;
  /** Names of the tasks that it depends on, groups replaced by their members. */
  readonly dependencies: readonly string[];
  /** Names of the tasks that only run before it: earlier members of a sequence. */
  readonly after: readonly string[];
  /** With `--status`: what a run would find of it now. */
  readonly status?: "hit" | "miss" | "off" | "unknown" | "refused";
  readonly reason?: string | null;
}

/** `cuenv graph --json`: version 1. Every task stands after those that it waits for. */
export interface GraphDocument {
  readonly version: 1;
  readonly tasks: readonly GraphTask[];
}

const maxCommandLength = 200;

/**
 * The named tasks and all that they need; without names all tasks of the project. Tasks that cannot run here are in it, too.
 * @throws {CuenvError} RUN_TASK_NOT_FOUND, CONFIG_CYCLE
 */
export function taskGraph(project: Project, names: readonly string[]): GraphDocument {
  const wanted = names.length > 0 ? names : Object.keys(project.tasks);
  if (wanted.length === 0) return { version: 1, tasks: [] };
  const { nodes } = planRun(project, { names: wanted, withRefused: true });
  return { version: 1, tasks: nodes.map(graphTask) };
}

function graphTask({ name, task, dependencies, after }: PlanNode): GraphTask {
  return {
    name,
    description: task.description ?? null,
    command: commandLine(task),
    cached: task.cache.enabled,
    dependencies,
    after,
  };
}

function commandLine({ action }: CommandTask): string | null {
  if (action.kind === "refused") return null;
  const text =
    action.kind === "shell"
      ? action.script
      : action.argv
          .map((part) => (typeof part === "string" ? part : `<${part.output} of ${part.task}>`))
          .join(" ");
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length > maxCommandLength ? `${line.slice(0, maxCommandLength - 1)}…` : line;
}
