import type { Argument, Project, Task } from "@cuenv/config";
import { visibleLines, visibleText } from "../report/visible-text.ts";

/** The tasks of a project, by name with what they are for; as one document with `json`. */
export function taskList(project: Project, json: boolean): string {
  const tasks = Object.values(project.tasks).toSorted((left, right) =>
    left.name < right.name ? -1 : 1,
  );
  if (json) {
    const rows = tasks.map(({ name, description, kind, dependencies, ...task }) => ({
      name,
      description: description ?? null,
      kind,
      dependencies,
      cached: "cache" in task && task.cache.enabled,
    }));
    return `${JSON.stringify({ version: 1, tasks: rows })}\n`;
  }
  if (tasks.length === 0) return "No tasks in env.cue. Add one below `tasks`.\n";
  const width = Math.max(...tasks.map((task) => visibleText(task.name).length));
  return tasks
    .map(
      (task) =>
        `${`${visibleText(task.name).padEnd(width)}  ${visibleLines(summaryOf(task))}`.trimEnd()}\n`,
    )
    .join("");
}

/** An output of another task is named, not known. */
function argumentText(argument: Argument): string {
  return typeof argument === "string" ? argument : `<${argument.output} of ${argument.task}>`;
}

function summaryOf(task: Task): string {
  if (task.description !== undefined) return task.description;
  if (task.kind !== "command") return `${task.kind} of ${task.members.join(", ")}`;
  const { action } = task;
  if (action.kind === "refused") return `cannot run here: ${action.message}`;
  const line = action.kind === "shell" ? action.script : action.argv.map(argumentText).join(" ");
  const [first = "", ...more] = line.trim().split("\n");
  return more.length > 0 || first.length > 100 ? `${first.slice(0, 100)} …` : first;
}
