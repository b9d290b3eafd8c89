import { visibleText } from "../report/visible-text.ts";
import type { GraphDocument, GraphTask } from "./task-graph.ts";

interface Line {
  readonly task: GraphTask;
  /** What stands before the name of it, and before those of its dependencies. */
  readonly lead: string;
  readonly indent: string;
  readonly isOrder: boolean;
}

/**
 * A tree: below each task what it depends on. A task stands whole where it is first met, and as "(above)" after that, so the text is
 * no longer than the graph.
 */
export function graphText({ tasks }: GraphDocument): string {
  if (tasks.length === 0) return "No tasks in env.cue. Add one below `tasks`.\n";
  const byName = new Map(tasks.map((task) => [task.name, task]));
  const needed = new Set(tasks.flatMap(({ dependencies, after }) => [...dependencies, ...after]));
  const shown = new Set<string>();
  const lines: string[] = [];
  // A stack: chains of thousands of tasks would exhaust the engine's.
  const waiting: Line[] = tasks
    .filter(({ name }) => !needed.has(name))
    .map((task) => ({ task, lead: "", indent: "", isOrder: false }))
    .toReversed();
  for (let line = waiting.pop(); line !== undefined; line = waiting.pop()) {
    const { task, lead, indent, isOrder } = line;
    const below = [...task.dependencies, ...task.after].flatMap((name) => byName.get(name) ?? []);
    const isRepeated = shown.has(task.name) && below.length > 0;
    lines.push(`${lead}${labelOf(task, isOrder)}${isRepeated ? "  (above)" : ""}`);
    if (shown.has(task.name)) continue;
    shown.add(task.name);
    const last = below.length - 1;
    waiting.push(
      ...below
        .map((child, at) => ({
          task: child,
          lead: `${indent}${at === last ? "└─ " : "├─ "}`,
          indent: `${indent}${at === last ? "   " : "│  "}`,
          isOrder: at >= task.dependencies.length,
        }))
        .toReversed(),
    );
  }
  return `${lines.join("\n")}\n`;
}

function labelOf({ name, status, reason, cached }: GraphTask, isOrder: boolean): string {
  // In the words of a dry run: what is not cached runs.
  const word = status === "off" ? "runs" : status;
  const notes = [
    ...(isOrder ? ["runs before, only"] : []),
    ...(word === undefined ? [] : [word, ...(reason == null ? [] : [reason])]),
    ...(status === undefined && !cached ? ["not cached"] : []),
  ];
  return `${visibleText(name)}${notes.length === 0 ? "" : `  ${visibleText(notes.join(", "))}`}`;
}
