import { describe, expect, it } from "vitest";
import { counting, createSandbox, cue } from "./sandbox.ts";

const project = createSandbox({
  "src/a": "a",
  "env.cue": cue({
    tasks: {
      gen: {
        ...counting("gen", "mkdir -p gen && cp src/a gen/a"),
        inputs: ["src"],
        outputs: ["gen"],
      },
      test: { command: "true", inputs: ["src"], dependencies: ["gen"] },
      group: { type: "group", one: { command: "true" }, two: { command: "true" } },
      all: { command: "true", dependencies: ["group", "test"] },
      boxed: { command: "true", security: { restrictDisk: true } },
      beside: { command: "true", dependencies: ["boxed"] },
    },
  }),
});

interface Graph {
  readonly tasks: readonly {
    readonly name: string;
    readonly dependencies: readonly string[];
    readonly status?: string;
    readonly reason?: string | null;
  }[];
}

async function graph(...args: readonly string[]): Promise<Graph> {
  const run = await project.cuenv(["graph", "--json", ...args]);
  expect(run.code, run.stdout + run.stderr).toBe(0);
  return JSON.parse(run.stdout) as Graph;
}

describe("cuenv graph", () => {
  it("has the named tasks and all that they need, groups as their members, and runs nothing", async () => {
    const { tasks } = await graph("all");
    expect(tasks.map(({ name, dependencies }) => [name, dependencies])).toEqual([
      ["group.one", []],
      ["group.two", []],
      ["gen", []],
      ["test", ["gen"]],
      ["all", ["group.one", "group.two", "test"]],
    ]);
    expect((await graph()).tasks).toHaveLength(7);
    expect(project.count("../gen")).toBe(0);
  });

  it("prints each format on stdout and nothing else", async () => {
    for (const [format, begin] of [
      ["text", /^all {2}not cached\n├─ group\.one/],
      ["dot", /^digraph tasks \{\n/],
      ["mermaid", /^flowchart LR\n/],
      ["json", /^\{"version":1,"tasks":\[/],
      ["html", /^<!doctype html>\n/],
    ] as const) {
      const run = await project.cuenv(["graph", "all", "--format", format]);
      expect(run).toMatchObject({ code: 0, stderr: "" });
      expect(run.stdout).toMatch(begin);
      expect(run.stdout.endsWith("\n")).toBe(true);
    }
  });

  it("says with --status what a run would find, also where tasks cannot run", async () => {
    const before = await graph("--status");
    const found = ({ tasks }: Graph) =>
      Object.fromEntries(tasks.map(({ name, status }) => [name, status]));
    expect(found(before)).toEqual({
      gen: "miss",
      test: "unknown",
      "group.one": "off",
      "group.two": "off",
      all: "off",
      boxed: "refused",
      beside: "refused",
    });
    const { stdout } = await project.cuenv(["graph", "all", "--status"]);
    expect(stdout).toMatch(/^(?:├─ )?.*group\.one {2}runs, not cached$/m);
    await project.cuenv(["task", "test"]);
    expect(found(await graph("test", "--status"))).toEqual({ gen: "hit", test: "hit" });
  });

  it("says with --status that a task needs arguments, and what would be found of all others", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          greet: {
            command: "echo {{0}}",
            inputs: [],
            params: { positional: [{ required: true }] },
          },
          after: { command: "true", inputs: [], dependencies: ["greet"] },
          lint: { command: "true", inputs: [] },
        },
      }),
    });
    const run = await own.cuenv(["graph", "--status", "--json"]);
    expect(run.code, run.stderr).toBe(0);
    expect((JSON.parse(run.stdout) as Graph).tasks).toMatchObject([
      { name: "greet", status: "unknown", reason: "it needs arguments" },
      { name: "after", status: "refused" },
      { name: "lint", status: "miss" },
    ]);
  });

  it("says what is wrong with names and formats", async () => {
    expect(await project.cuenv(["graph", "--format", "svg"])).toMatchObject({
      code: 2,
      stdout: "",
    });
    expect(await project.cuenv(["graph", "--format", "dot", "--json"])).toMatchObject({ code: 2 });
    const wrong = await project.cuenv(["graph", "tset"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain('"test"');
    const empty = createSandbox({ "env.cue": "package cuenv\n" });
    expect((await empty.cuenv(["graph"])).stdout).toMatch(/^No tasks/);
    expect(JSON.parse((await empty.cuenv(["graph", "--json"])).stdout)).toEqual({
      version: 1,
      tasks: [],
    });
  });
});
