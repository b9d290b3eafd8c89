import type { GraphDocument, GraphTask } from "./task-graph.ts";

/** For Mermaid, in Markdown, say. Arrows go from what runs first to what waits for it; a dotted one is order alone. */
export function graphMermaid({ tasks }: GraphDocument): string {
  const ids = new Map(tasks.map(({ name }, at) => [name, `t${at}`]));
  const edges = (task: GraphTask, names: readonly string[], arrow: string): string[] =>
    names.flatMap((name) => {
      const from = ids.get(name);
      return from === undefined ? [] : [`  ${from} ${arrow} ${ids.get(task.name)}`];
    });
  const uncached = tasks.filter(({ cached }) => !cached).map(({ name }) => ids.get(name));
  return [
    "flowchart LR",
    ...tasks.map(({ name }) => `  ${ids.get(name)}["${escaped(name)}"]`),
    ...tasks.flatMap((task) => [
      ...edges(task, task.dependencies, "-->"),
      ...edges(task, task.after, "-.->"),
    ]),
    ...(uncached.length === 0
      ? []
      : ["  classDef uncached stroke-dasharray:4", `  class ${uncached.join(",")} uncached`]),
    "",
  ].join("\n");
}

/** Mermaid's own references (`#34;`) for all that is no letter, digit, blank or one of a few harmless signs. */
function escaped(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N} _.:/-]/gu, (each) => `#${each.codePointAt(0)};`);
}
