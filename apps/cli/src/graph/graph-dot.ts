import type { GraphDocument, GraphTask } from "./task-graph.ts";

/** For Graphviz. Arrows go from what runs first to what waits for it; a dotted one is order alone. */
export function graphDot({ tasks }: GraphDocument): string {
  const ids = new Map(tasks.map(({ name }, at) => [name, `t${at}`]));
  const edges = (task: GraphTask, names: readonly string[], style: string): string[] =>
    names.flatMap((name) => {
      const from = ids.get(name);
      return from === undefined ? [] : [`  ${from} -> ${ids.get(task.name)}${style};`];
    });
  return [
    "digraph tasks {",
    '  rankdir="LR";',
    '  node [shape="box", style="rounded"];',
    ...tasks.map((task) => `  ${ids.get(task.name)} [label=${quoted(task.name)}${look(task)}];`),
    ...tasks.flatMap((task) => [
      ...edges(task, task.dependencies, ""),
      ...edges(task, task.after, ' [style="dotted"]'),
    ]),
    "}",
    "",
  ].join("\n");
}

function look({ cached, status, reason }: GraphTask): string {
  const dashed = cached ? "" : ', style="rounded,dashed"';
  if (status === undefined) return dashed;
  const colors = {
    hit: "green4",
    miss: "orange3",
    off: "gray40",
    unknown: "gray40",
    refused: "red3",
  };
  return `${dashed}, color=${quoted(colors[status])}, tooltip=${quoted(`${status}${reason == null ? "" : `: ${reason}`}`)}`;
}

/** In a label a backslash begins an escape of its own (`\N` is the node's name), so it is doubled. */
function quoted(text: string): string {
  const escaped = text
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll(/\r\n|[\r\n]/g, "\\n");
  return `"${escaped.replaceAll(/\p{Cc}/gu, " ")}"`;
}
