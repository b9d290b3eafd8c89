import type { Task } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { planRun } from "@cuenv/runner";
import { basename } from "node:path";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { graphDot } from "../graph/graph-dot.ts";
import { graphHtml } from "../graph/graph-html.ts";
import { graphMermaid } from "../graph/graph-mermaid.ts";
import { graphText } from "../graph/graph-text.ts";
import { type GraphDocument, type GraphTask, taskGraph } from "../graph/task-graph.ts";
import { reasonOf, statusOf } from "../preview/preview-document.ts";
import { previewPlan } from "../preview/preview-plan.ts";
import { openProject, type OpenProject } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";

const formats = ["text", "dot", "mermaid", "json", "html"] as const;
type Format = (typeof formats)[number];

/** `cuenv graph`: which task waits for which, as a tree, for other programs, or as a page. */
export async function runGraph(invocation: Invocation): Promise<number> {
  const format = formatOf(invocation);
  const open = await openProject(invocation);
  const graph = taskGraph(open.project, invocation.names);
  const shown = invocation.flags["status"] === true ? await withStatus(open, graph) : graph;
  printOut(render(shown, format, open));
  return 0;
}

function formatOf(invocation: Invocation): Format {
  const asked = flagText(invocation, "format");
  const format = formats.find((known) => known === asked);
  const isJson = invocation.flags["json"] === true;
  if (asked === undefined) return isJson ? "json" : "text";
  if (format === undefined) {
    throw new CuenvError(
      "USAGE",
      `cannot use --format ${asked}: the formats are ${formats.join(", ")}`,
    );
  }
  if (isJson && format !== "json") {
    throw new CuenvError("USAGE", `cannot use --format ${format} and --json at once`);
  }
  return format;
}

function render(graph: GraphDocument, format: Format, { project, ...open }: OpenProject): string {
  switch (format) {
    case "text":
      return graphText(graph);
    case "dot":
      return graphDot(graph);
    case "mermaid":
      return graphMermaid(graph);
    case "json":
      return `${JSON.stringify(graph)}\n`;
    case "html":
      return graphHtml(graph, `Tasks of ${project.name ?? basename(open.projectDirectory)}`);
  }
}

/** What a run would find now, of all that could run. */
async function withStatus(open: OpenProject, graph: GraphDocument): Promise<GraphDocument> {
  const runnable = runnableTasks(open, graph);
  const names = graph.tasks.map(({ name }) => name).filter((name) => runnable.has(name));
  const previews =
    names.length === 0 ? new Map() : await previewPlan(open, planRun(open.project, { names }));
  const tasks = graph.tasks.map((task): GraphTask => {
    const node = previews.get(task.name);
    if (node === undefined) return { ...task, ...withoutPreview(open, task) };
    const status = statusOf(node);
    return { ...task, status, reason: status === "hit" ? null : reasonOf(node) };
  });
  return { version: 1, tasks };
}

function withoutPreview({ project }: OpenProject, { name }: GraphTask) {
  return needsArguments(project.tasks[name])
    ? ({ status: "unknown", reason: "it needs arguments" } as const)
    : ({ status: "refused", reason: "it cannot run here" } as const);
}

/** Its key has the values of its parameters in it, and nobody gives one to a graph. */
function needsArguments(task: Task | undefined): boolean {
  return (
    task?.kind === "command" &&
    task.cache.enabled &&
    task.parameters.some((parameter) => parameter.required && parameter.default === undefined)
  );
}

/** Neither refused, nor without arguments that it needs, nor waiting for such a one. Tasks stand after those that they wait for. */
function runnableTasks({ project }: OpenProject, { tasks }: GraphDocument): ReadonlySet<string> {
  const runnable = new Set<string>();
  for (const { name, dependencies, after } of tasks) {
    const task = project.tasks[name];
    const isRefused =
      task?.kind !== "command" || task.action.kind === "refused" || needsArguments(task);
    if (!isRefused && [...dependencies, ...after].every((other) => runnable.has(other)))
      runnable.add(name);
  }
  return runnable;
}
