import { createHash } from "node:crypto";
import { Script } from "node:vm";
import { describe, expect, it } from "vitest";
import { graphDot } from "./graph-dot.ts";
import { graphHtml } from "./graph-html.ts";
import { graphLayout } from "./graph-layout.ts";
import { pageScript } from "./graph-page.ts";
import { graphMermaid } from "./graph-mermaid.ts";
import { graphText } from "./graph-text.ts";
import type { GraphDocument, GraphTask } from "./task-graph.ts";

function task(name: string, dependencies: readonly string[] = [], more: object = {}): GraphTask {
  return {
    name,
    description: null,
    command: "true",
    cached: true,
    dependencies,
    after: [],
    ...more,
  };
}

const diamond: GraphDocument = {
  version: 1,
  tasks: [
    task("install"),
    task("css", ["install"]),
    task("js", ["install"], { cached: false }),
    task("build", ["css", "js"]),
    task("release", [], { after: ["build"] }),
  ],
};

const hostile = [
  `"]; evil [label="x`,
  "back\\slash\\N",
  "<script>alert(1)</script>",
  `" onmouseover="alert(1)`,
  "' & &amp; </text></svg><img src=x onerror=alert(1)>",
  "end",
  "subgraph",
  `t0"] --> t1["`,
  "`**md**` #35; #quot; %%{init}%%",
  "two\nlines",
  "\u001b[31mred",
  "\u202erelyt",
  "タスク🚀",
  "",
];
const hostileGraph: GraphDocument = {
  version: 1,
  tasks: hostile.map((name, at) =>
    task(name, at === 0 ? [] : [hostile[at - 1] ?? ""], {
      description: name,
      command: name,
      status: "miss",
      reason: name,
    }),
  ),
};

describe("the text of a graph", () => {
  it("shows a tree, each task whole once", () => {
    expect(graphText(diamond)).toBe(
      [
        "release",
        "└─ build  runs before, only",
        "   ├─ css",
        "   │  └─ install",
        "   └─ js  not cached",
        "      └─ install",
        "",
      ].join("\n"),
    );
    const twice = { version: 1, tasks: [...diamond.tasks, task("other", ["build"])] } as const;
    expect(graphText(twice)).toContain("other\n└─ build  (above)\n");
  });

  it("keeps names on a line of their own, and lets none speak to the terminal", () => {
    const text = graphText(hostileGraph);
    expect(text.split("\n")).toHaveLength(hostile.length + 1);
    for (const sign of ["\u001b", "\u202e"]) expect(text).not.toContain(sign);
    expect(text).toContain("\\u001b[31mred");
  });

  it("is made of chains of thousands of tasks, too", () => {
    const tasks = Array.from({ length: 5000 }, (_, at) =>
      task(`t${at}`, at === 0 ? [] : [`t${at - 1}`]),
    );
    const graph = { version: 1, tasks } as const;
    expect(graphText(graph).split("\n")).toHaveLength(5001);
    expect(graphLayout(graph).tasks).toHaveLength(5000);
  });
});

describe("DOT", () => {
  it("has an arrow from each task to what waits for it, dotted where it is order alone", () => {
    const dot = graphDot(diamond);
    expect(dot).toContain("  t0 -> t1;");
    expect(dot).toContain('  t3 -> t4 [style="dotted"];');
    expect(dot).toContain('  t2 [label="js", style="rounded,dashed"];');
  });

  it("quotes names so that a line stays what it is", () => {
    const lines = graphDot(hostileGraph).split("\n");
    const label =
      /^ {2}t\d+ \[label="(?:[^"\\\n]|\\["\\n])*", color="orange3", tooltip="(?:[^"\\\n]|\\["\\n])*"\];$/;
    expect(lines.filter((line) => line.includes("label=")).every((line) => label.test(line))).toBe(
      true,
    );
    expect(lines).toHaveLength(3 + hostile.length * 2 - 1 + 2);
  });
});

describe("Mermaid", () => {
  it("has nothing of a name but letters, digits and a few signs outside of references", () => {
    const lines = graphMermaid(hostileGraph).trimEnd().split("\n");
    expect(lines[0]).toBe("flowchart LR");
    for (const line of lines.slice(1, hostile.length + 1))
      expect(line).toMatch(/^ {2}t\d+\["(?:[\p{L}\p{N} _.:/-]|#\d+;)*"\]$/u);
    for (const line of lines.slice(hostile.length + 1)) expect(line).toMatch(/^ {2}t\d+ --> t\d+$/);
    expect(graphMermaid(diamond)).toContain("  class t2 uncached\n");
    expect(graphMermaid(diamond)).toContain("  t3 -.-> t4\n");
  });
});

describe("the page", () => {
  const page = graphHtml(hostileGraph, "<title> & co");

  it("has the elements that it would have with harmless names, and no others", () => {
    const harmless = graphHtml(
      {
        version: 1,
        tasks: hostile.map((_, at) =>
          task(`n${at}`, at === 0 ? [] : [`n${at - 1}`], {
            description: "d",
            command: "c",
            status: "miss",
            reason: "r",
          }),
        ),
      },
      "title",
    );
    const tags = (html: string): readonly string[] =>
      [...html.matchAll(/<\/?([a-zA-Z!][^\s>/]*)/g)].map(([, name = ""]) => name);
    expect(tags(page)).toEqual(tags(harmless));
    const attributes = (html: string): readonly string[] =>
      [...html.matchAll(/\s([a-z-]+)="/g)].map(([, name = ""]) => name);
    expect(attributes(page)).toEqual(attributes(harmless));
    for (const sign of ["\u001b", "\u202e"]) expect(page).not.toContain(sign);
  });

  it("asks the network for nothing, and forbids itself to", () => {
    const plain = graphHtml(diamond, "title");
    expect(plain).not.toMatch(
      /\s(?:src|href)=|@import|url\((?!#arrow)|https?:(?!\/\/www\.w3\.org\/2000\/svg)/,
    );
    expect(page).toMatch(/Content-Security-Policy" content="default-src &#39;none&#39;;/);
  });

  it("has a script that can be read", () => {
    expect(() => new Script(pageScript)).not.toThrow();
    const hash = createHash("sha256").update(pageScript).digest("base64");
    expect(page).toContain(`script-src &#39;sha256-${hash}&#39;`);
    expect(page).toContain(`<script>${pageScript}</script>`);
  });

  it("shows every name, escaped", () => {
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page).toContain("タスク🚀");
  });
});

describe("the layout", () => {
  it("puts a task right of all that it waits for, and no box on another", () => {
    const { tasks, edges, width, height } = graphLayout(diamond);
    for (const { from, to } of edges) expect(from.x + from.width).toBeLessThan(to.x);
    expect(edges).toHaveLength(5);
    expect(new Set(tasks.map(({ x, y }) => `${x} ${y}`)).size).toBe(tasks.length);
    for (const { x, y, width: own } of tasks) {
      expect(x + own).toBeLessThan(width);
      expect(y).toBeGreaterThanOrEqual(0);
      expect(y).toBeLessThan(height);
    }
  });

  it("orders a column so that lines do not cross without need", () => {
    const names = ["a", "b", "c", "d"];
    const crossed = [
      ...names.map((name) => task(name)),
      ...names.toReversed().map((name) => task(`${name}2`, [name])),
    ];
    const { tasks } = graphLayout({ version: 1, tasks: crossed });
    const y = new Map(tasks.map((each) => [each.name, each.y]));
    for (const name of names) expect(y.get(`${name}2`)).toBe(y.get(name));
  });
});
