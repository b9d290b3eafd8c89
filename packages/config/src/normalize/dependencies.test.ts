import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { normalizeProject } from "./normalize-project.ts";
import { codesOf, problemsOf, projectOf, taskOf } from "../../test/projects.ts";

const run = { command: "x" };

describe("dependencies", () => {
  it("refuses a task that does not exist and gives the near name", () => {
    const problems = problemsOf(() =>
      projectOf({ "test:unit": run, build: { ...run, dependencies: ["test:unti"] } }),
    );
    expect(problems).toMatchObject([
      {
        code: "CONFIG_UNKNOWN_TASK",
        message: 'cannot read task build: there is no task "test:unti" to depend on',
        hint: 'did you mean "test:unit"?',
        location: { file: "env.cue" },
      },
    ]);
  });

  it("lists the tasks that there are where none has a near name", () => {
    const hintsOf = (tasks: Readonly<Record<string, object>>): unknown[] =>
      problemsOf(() => projectOf(tasks)).map(({ hint }) => hint);
    const wrong = { ...run, dependencies: ["core:build"], inputs: [{ task: "elsewhere" }] };
    expect(hintsOf({ lint: run, app: wrong })).toEqual(["tasks: lint", "tasks: lint"]);
    expect(hintsOf({ app: { ...run, dependencies: ["core:build"] } })).toEqual([
      "there is no other task",
    ]);
    const many = Object.fromEntries(Array.from({ length: 25 }, (_, at) => [`t${at}`, run]));
    expect(hintsOf({ ...many, app: { ...run, dependencies: ["x"] } })).toEqual([
      expect.stringMatching(/^tasks: t0, .*, t19 and 5 more$/),
    ]);
  });

  it("points at the item that is wrong, or at what is around it", () => {
    const value = { tasks: { a: { ...run, dependencies: ["b", "c"] } } };
    const positions = {
      "/tasks/a": { file: "/p/env.cue", line: 2, column: 1 },
      "/tasks/a/dependencies/1": { file: "/p/env.cue", line: 5, column: 6 },
    };
    const problems = problemsOf(() =>
      normalizeProject({ value, positions }, { projectDirectory: "" }),
    );
    expect(problems.map(({ location }) => location?.line)).toEqual([2, 5]);
  });

  it("prefers a sibling to a task of the same name at the top, and never a task to itself", () => {
    const project = projectOf({
      build: run,
      lint: run,
      web: { build: { ...run, dependencies: ["lint", "build"] }, lint: run },
    });
    expect(taskOf(project, "web.build").dependencies).toEqual(["web.lint", "build"]);
  });

  it("names each dependency once, in the order written", () => {
    const project = projectOf({
      a: run,
      b: run,
      c: { ...run, dependencies: ["b", "a", "b"], dependsOn: ["a"] },
    });
    expect(taskOf(project, "c").dependencies).toEqual(["b", "a"]);
  });

  it("knows embedded tasks by the name that their output carries, groups by their members'", () => {
    const named = (name: string): object => ({
      ...run,
      stdout: { cuenvOutputRef: true, cuenvTask: name, cuenvOutput: "stdout" },
    });
    const project = projectOf({
      a: named("a"),
      g: { type: "group", one: named("g.one") },
      b: { ...run, dependsOn: [named("a"), { type: "group", one: named("g.one") }] },
    });
    expect(taskOf(project, "b").dependencies).toEqual(["a", "g"]);
  });

  it("knows an embedded task by its content, if only one has it", () => {
    const one = { command: "one" };
    const project = projectOf({ a: one, b: { ...run, dependsOn: [one] } });
    expect(taskOf(project, "b").dependencies).toEqual(["a"]);
    expect(codesOf(() => projectOf({ a: one, c: one, b: { ...run, dependsOn: [one] } }))).toEqual([
      "CONFIG_UNKNOWN_TASK",
    ]);
  });

  it("follows references through hidden fields, from either side", () => {
    const tasks = { migrate: run, deploy: { ...run, dependsOn: [null] } };
    const references = {
      "/tasks": "/_service/tasks",
      "/tasks/deploy/dependsOn/0": "/_service/tasks/migrate",
    };
    expect(taskOf(projectOf(tasks, { references }), "deploy").dependencies).toEqual(["migrate"]);
  });

  it("means the task that is referred to, and not another one made from the same field", () => {
    const references = {
      "/tasks/lint": "/_base",
      "/tasks/build": "/_base",
      "/tasks/test": "/_base",
      "/tasks/test/dependsOn/0": "/tasks/build",
      "/tasks/all/0": "/tasks/build",
    };
    const tasks = {
      lint: { command: "x", args: ["lint"] },
      build: { command: "x", args: ["build"] },
      test: { command: "x", args: ["test"], dependsOn: [null] },
      all: [null, { command: "y" }],
    };
    const project = projectOf(tasks, { references });
    expect(taskOf(project, "test").dependencies).toEqual(["build"]);
    expect(taskOf(project, "all")).toMatchObject({ members: ["build", "all[1]"] });
  });

  it("ends on references in a circle", () => {
    const references = { "/tasks/a/dependsOn/0": "/x", "/x": "/y", "/y": "/x" };
    expect(codesOf(() => projectOf({ a: { ...run, dependsOn: [{}] } }, { references }))).toEqual([
      "CONFIG_UNKNOWN_TASK",
    ]);
  });

  it("takes outputs of another task by name, and depends on it", () => {
    const project = projectOf({ a: run, b: { ...run, inputs: [{ task: "a" }, "src"] } });
    expect(taskOf(project, "b")).toMatchObject({
      dependencies: ["a"],
      taskInputs: [{ task: "a" }],
      inputs: ["src"],
    });
    expect(
      problemsOf(() => projectOf({ alpha: run, b: { ...run, inputs: [{ task: "alhpa" }] } })),
    ).toMatchObject([{ code: "CONFIG_UNKNOWN_TASK", hint: 'did you mean "alpha"?' }]);
  });

  it("refuses to run what needs a service, an image or another project", () => {
    for (const [target, what] of [
      ["/services/db", 'the service "db"'],
      ["/images/api", 'the image "api"'],
    ] as const) {
      const references = { "/tasks/a/dependsOn/0": target };
      const project = projectOf({ a: { ...run, dependsOn: [{ x: 1 }] } }, { references });
      const action = { kind: "refused", message: expect.stringContaining(what) as unknown };
      expect(taskOf(project, "a")).toMatchObject({ action });
    }
    const project = projectOf({ a: { ...run, inputs: [{ project: "p", task: "t", map: [] }] } });
    expect(taskOf(project, "a")).toMatchObject({ action: { kind: "refused" } });
  });

  it("makes a task under a second name a group of the one", () => {
    const references = { "/tasks/all": "/tasks/build" };
    const build = { ...run, outputs: ["dist"] };
    const project = projectOf({ build, all: build }, { references });
    expect(taskOf(project, "all")).toMatchObject({ kind: "group", members: ["build"] });
  });

  it("keeps a task of its own that adds something to the one it refers to", () => {
    const references = { "/tasks/all": "/tasks/build" };
    const project = projectOf({ build: run, all: { ...run, args: ["-v"] } }, { references });
    expect(taskOf(project, "all").kind).toBe("command");
  });

  it("takes a copied member with the outputs of a task for that task", () => {
    const build = { ...run, outputs: ["dist"] };
    const project = projectOf({ ci: [build, run, run], build });
    expect(taskOf(project, "ci")).toMatchObject({ members: ["build", "ci[1]", "ci[2]"] });
    expect(taskOf(project, "ci[1]").dependencies).toEqual(["build"]);
    expect(taskOf(project, "build").dependencies).toEqual([]);
  });
});

describe("evaluations with our own schema", () => {
  const output = (name: string): object =>
    Object.fromEntries(
      ["stdout", "stderr", "exitCode"].map((field) => [
        field,
        { cuenvOutputRef: true, cuenvTask: name, cuenvOutput: field },
      ]),
    );

  it("have output references on tasks and groups, which are no members and no fields", () => {
    const project = projectOf({
      old: { ...output("old"), one: { ...run, ...output("old.one") } },
      wrapped: { ...output("wrapped"), tasks: [{ ...run, ...output("wrapped[0]") }] },
      typed: { type: "group", ...output("typed"), one: { ...run, ...output("typed.one") } },
    });
    expect(Object.keys(project.tasks)).toEqual([
      "old",
      "old.one",
      "wrapped",
      "wrapped[0]",
      "typed",
      "typed.one",
    ]);
  });

  it("name a copy after itself, which makes no other task of it", () => {
    const build = { ...run, outputs: ["dist"], dependsOn: [null] };
    const tasks = {
      lint: { ...run, ...output("lint") },
      build: { ...build, ...output("build") },
      all: [{ ...build, ...output("all[0]") }],
      again: { ...build, ...output("again") },
    };
    const references = {
      "/tasks/build/dependsOn/0": "/tasks/lint",
      "/tasks/all/0/dependsOn/0": "/tasks/lint",
      "/tasks/again/dependsOn/0": "/tasks/lint",
    };
    const project = projectOf(tasks, { references });
    expect(taskOf(project, "all")).toMatchObject({ kind: "sequence", members: ["build"] });
    expect(taskOf(project, "again")).toMatchObject({ kind: "group", members: ["build"] });
    const other = { ...references, "/tasks/all/0/dependsOn/0": "/tasks/again" };
    expect(codesOf(() => projectOf(tasks, { references: other }))).toEqual(["CONFIG_OUTPUTS"]);
  });
});

describe("circles", () => {
  it("prints the whole way round", () => {
    const problems = problemsOf(() =>
      projectOf({
        a: { ...run, dependencies: ["b"] },
        b: { ...run, dependencies: ["c"] },
        c: { ...run, dependencies: ["b"] },
      }),
    );
    expect(problems).toMatchObject([
      {
        code: "CONFIG_CYCLE",
        message: "cannot order the tasks: they wait for each other in a circle: b → c → b",
      },
    ]);
  });

  it.each([
    ["on itself", { a: { ...run, dependencies: ["a"] } }, "a → a"],
    [
      "of a member on its own group",
      { g: { type: "group", a: { ...run, dependencies: ["g"] } } },
      "g → g.a → g",
    ],
    [
      "of a step on a later one",
      { s: [{ ...run, dependencies: ["s[1]"] }, run] },
      "s[0] → s[1] → s[0]",
    ],
    [
      "through the dependencies of a group",
      { g: { type: "group", dependsOn: ["x"], a: run }, x: { ...run, dependencies: ["g.a"] } },
      "x → g.a → x",
    ],
  ])("finds one %s", (_, tasks, circle) => {
    const [problem] = problemsOf(() => projectOf(tasks));
    expect([problem?.code, problem?.message.split(": ").at(-1)]).toEqual(["CONFIG_CYCLE", circle]);
  });

  it("says so exactly when there is one", () => {
    const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 });
    fc.assert(
      fc.property(edges, (pairs) => {
        const tasks: Record<string, { command: string; dependencies: string[] }> = {};
        for (let index = 0; index < 8; index += 1)
          tasks[`t${index}`] = { command: "x", dependencies: [] };
        for (const [from, to] of pairs) tasks[`t${from}`]?.dependencies.push(`t${to}`);
        expect(codesOf(() => projectOf(tasks)).includes("CONFIG_CYCLE")).toBe(hasCircle(pairs));
      }),
    );
  });

  it("is not limited by the stack", () => {
    const tasks: Record<string, unknown> = {};
    for (let index = 0; index < 20_000; index += 1)
      tasks[`t${index}`] = { command: "x", dependencies: index === 0 ? [] : [`t${index - 1}`] };
    expect(Object.keys(projectOf(tasks).tasks)).toHaveLength(20_000);
  });
});

/** Removes what waits for nothing until nothing is left, or nothing can be removed. */
function hasCircle(pairs: readonly (readonly [number, number])[]): boolean {
  let left = [...pairs];
  for (;;) {
    const next = left.filter(([, to]) => left.some(([from]) => from === to));
    if (next.length === 0) return false;
    if (next.length === left.length) return true;
    left = next;
  }
}

describe("full names", () => {
  it("refuses two tasks of one name", () => {
    const problems = problemsOf(() => projectOf({ "a.b": run, a: { type: "group", b: run } }));
    expect(problems).toMatchObject([
      { code: "CONFIG_NAME_COLLISION", message: expect.stringContaining("a.b") },
    ]);
    expect(codesOf(() => projectOf({ "s[0]": run, s: [run] }))).toEqual(["CONFIG_NAME_COLLISION"]);
  });

  it.each(["", " ", "-x", "a\nb", "x".repeat(201)])("refuses the name %j", (name) => {
    expect(codesOf(() => projectOf({ [name]: run }))).toEqual(["CONFIG_NAME"]);
  });

  it.each(["test:unit", "a b", "ünïcode", "constructor", "build/web", "a*"])(
    "takes the name %j",
    (name) => {
      expect(Object.keys(projectOf({ [name]: run }).tasks)).toEqual([name]);
    },
  );
});
