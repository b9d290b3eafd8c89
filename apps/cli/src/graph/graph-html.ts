import { createHash } from "node:crypto";
import {
  boxHeight,
  boxText,
  type GraphLayout,
  graphLayout,
  type PlacedEdge,
} from "./graph-layout.ts";
import { pageScript, pageStyle } from "./graph-page.ts";
import type { GraphDocument, GraphTask } from "./task-graph.ts";

/**
 * One page that needs nothing else: no network, no file beside it. Its own policy forbids every other script and every request, should a name ever
 * get past the escaping.
 */
export function graphHtml(graph: GraphDocument, title: string): string {
  const layout = graphLayout(graph);
  const scriptHash = createHash("sha256").update(pageScript).digest("base64");
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${scriptHash}'; base-uri 'none'; form-action 'none'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${pageStyle}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p><label>Find <input id="find" type="search" autocomplete="off"></label> <span id="count">${counted(graph.tasks.length)}</span>. Arrows go from what runs first to what waits for it; dotted ones are order alone. Dashed boxes are not cached. Select a task to see what it needs and what needs it.</p>
<div id="picture">${svg(graph, layout)}</div>
<table>
<thead><tr><th>Task</th>${withStatus(graph) ? "<th>Now</th>" : ""}<th>Depends on</th><th>Command</th></tr></thead>
<tbody>
${graph.tasks.map((task) => row(task, withStatus(graph))).join("\n")}
</tbody>
</table>
<script>${pageScript}</script>
</body>
</html>
`;
}

function counted(tasks: number): string {
  return `${tasks} ${tasks === 1 ? "task" : "tasks"}`;
}

function withStatus({ tasks }: GraphDocument): boolean {
  return tasks.some(({ status }) => status !== undefined);
}

function svg({ tasks }: GraphDocument, layout: GraphLayout): string {
  const places = new Map(layout.tasks.map((place, at) => [place.name, { ...place, at }]));
  const at = (name: string): string => `${places.get(name)?.at ?? -1}`;
  const edges = layout.edges.map(
    (edge) =>
      `<path class="edge${edge.isOrder ? " order" : ""}" data-from="${at(edge.from.name)}" data-to="${at(edge.to.name)}" d="${curve(edge)}" marker-end="url(#arrow)"/>`,
  );
  const boxes = tasks.flatMap((task) => {
    const place = places.get(task.name);
    if (place === undefined) return [];
    const look = `task ${task.cached ? "cached" : "uncached"}${task.status === undefined ? "" : ` ${task.status}`}`;
    return `<g class="${look}" tabindex="0" role="button" data-id="${place.at}" data-name="${escaped(task.name)}" transform="translate(${place.x} ${place.y})"><title>${escaped(hover(task))}</title><rect width="${place.width}" height="${boxHeight}" rx="6"/><text x="12" y="20">${escaped(boxText(task.name))}</text></g>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${layout.width}" height="${layout.height}" viewBox="0 0 ${layout.width} ${layout.height}" role="img" aria-label="Graph of the tasks">
<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker></defs>
${edges.join("\n")}
${boxes.join("\n")}
</svg>`;
}

function hover({ name, description, status, reason }: GraphTask): string {
  return [
    name,
    ...(description === null ? [] : [description]),
    ...(status === undefined ? [] : [reason == null ? status : `${status}: ${reason}`]),
  ].join("\n");
}

function curve({ from, to }: PlacedEdge): string {
  const [x1, y1] = [from.x + from.width, from.y + boxHeight / 2];
  const [x2, y2] = [to.x, to.y + boxHeight / 2];
  const bend = Math.max(30, (x2 - x1) / 2);
  return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
}

function row(task: GraphTask, status: boolean): string {
  const needed = [...task.dependencies, ...task.after.map((name) => `${name} (order)`)].join(", ");
  const now = status
    ? `<td class="${task.status ?? ""}">${escaped(task.status ?? "")}${task.reason == null ? "" : `: ${escaped(task.reason)}`}</td>`
    : "";
  return `<tr data-name="${escaped(task.name)}"><td><code>${escaped(task.name)}</code>${task.description === null ? "" : `<br>${escaped(task.description)}`}</td>${now}<td>${escaped(needed)}</td><td><code>${escaped(task.command ?? "")}</code></td></tr>`;
}

const references: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** For text and for quoted attributes. Control characters, which HTML cannot have, and signs that turn the direction of text become visible. */
function escaped(text: string): string {
  return text
    .replaceAll(/[&<>"']/g, (sign) => references[sign] ?? sign)
    .replaceAll(/(?![\n\t])[\p{Cc}\p{Cf}\p{Cs}]/gu, "\ufffd");
}
