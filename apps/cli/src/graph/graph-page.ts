/** What the page of `cuenv graph --format html` looks like; light or dark as the reader's system is. */
export const pageStyle = `
:root { color-scheme: light dark; --line: #8887; --box: #f6f6f8; --text: #1c1c22; --hit: #1a7f37; --miss: #9a6700; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --box: #26262c; --text: #ececf1; --hit: #3fb950; --miss: #d29922; --bad: #f85149; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem; color: var(--text); }
h1 { font-size: 1.3rem; }
#picture { overflow: auto; border: 1px solid var(--line); border-radius: 6px; margin: 1rem 0; }
svg { display: block; }
.edge { fill: none; stroke: currentColor; opacity: .45; }
.order { stroke-dasharray: 2 4; }
marker path { fill: currentColor; }
.task { cursor: pointer; }
.task rect { fill: var(--box); stroke: currentColor; }
.task text { font: 12.5px ui-monospace, monospace; fill: currentColor; }
.uncached rect { stroke-dasharray: 5 4; }
.hit rect { stroke: var(--hit); stroke-width: 2; } .miss rect { stroke: var(--miss); stroke-width: 2; } .refused rect { stroke: var(--bad); }
td.hit { color: var(--hit); } td.miss { color: var(--miss); } td.refused { color: var(--bad); }
.dim { opacity: .15; }
.task:focus-visible rect, .selected rect { stroke-width: 3; outline: none; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
`;

/** Reads the picture, and nothing else: no names are put into the page by it. */
export const pageScript = `
"use strict";
const boxes = [...document.querySelectorAll(".task")];
const edges = [...document.querySelectorAll(".edge")];
const rows = [...document.querySelectorAll("tbody tr")];
const find = document.getElementById("find");
const next = { from: new Map(), to: new Map() };
for (const edge of edges) {
  const { from, to } = edge.dataset;
  next.to.set(from, [...(next.to.get(from) ?? []), to]);
  next.from.set(to, [...(next.from.get(to) ?? []), from]);
}
function reach(start, links) {
  const seen = new Set([start]);
  for (const id of seen) for (const other of links.get(id) ?? []) seen.add(other);
  return seen;
}
let selected;
function show() {
  const text = find.value.trim().toLowerCase();
  const matches = (element) => text === "" || element.dataset.name.toLowerCase().includes(text);
  const near = selected && new Set([...reach(selected, next.from), ...reach(selected, next.to)]);
  for (const box of boxes) {
    box.classList.toggle("selected", box.dataset.id === selected);
    box.classList.toggle("dim", !matches(box) || (near !== undefined && !near.has(box.dataset.id)));
  }
  for (const edge of edges) {
    const out = near !== undefined && !(near.has(edge.dataset.from) && near.has(edge.dataset.to));
    edge.classList.toggle("dim", out || text !== "");
  }
  for (const row of rows) row.hidden = !matches(row);
}
function select(box) {
  selected = selected === box.dataset.id ? undefined : box.dataset.id;
  show();
}
for (const box of boxes) {
  box.addEventListener("click", () => select(box));
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); select(box); }
  });
}
find.addEventListener("input", show);
`;
