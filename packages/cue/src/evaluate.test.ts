import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluateRaw } from "./evaluate.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();
const valueOf = async (directory: string, packageName?: string): Promise<unknown> =>
  (await evaluate({ directory, packageName })).evaluation.value;

describe("evaluate", () => {
  it("gives values, positions, references and attributes of a plain env.cue", async () => {
    const directory = projects.make({
      "env.cue": `package env
env: KEY: "v" @capability("aws")
tasks: {
  build: {command: "make", outputs: ["out"]}
  test: {command: "make test", dependsOn: [build, tasks.build]}
}
`,
    });
    const { evaluation, packageName } = await evaluate({ directory });
    expect(packageName).toBe("env");
    expect(evaluation.value).toEqual({
      env: { KEY: "v" },
      tasks: {
        build: { command: "make", outputs: ["out"] },
        test: { command: "make test", dependsOn: [null, null] },
      },
    });
    expect(evaluation.references).toEqual({
      "/tasks/test/dependsOn/0": "/tasks/build",
      "/tasks/test/dependsOn/1": "/tasks/build",
    });
    const file = join(directory, "env.cue");
    expect(evaluation.positions["/tasks/test/command"]).toEqual({ file, line: 5, column: 10 });
    expect(evaluation.positions["/tasks/build/outputs/0"]).toEqual({ file, line: 4, column: 38 });
    expect(evaluation.attributes).toEqual({ "/env/KEY": ['@capability("aws")'] });
  });

  it("evaluates a file without a package clause, alone", async () => {
    const directory = projects.make({
      "env.cue": 'tasks: build: command: "x"\n',
      "other.cue": "not: related\n",
    });
    const result = await evaluate({ directory });
    expect(result.packageName).toBe("_");
    expect(result.evaluation.value).toEqual({ tasks: { build: { command: "x" } } });
  });

  it("chooses package cuenv before env before the only one, and the one asked for before all", async () => {
    const files = {
      "a.cue": 'package cuenv\nis: "cuenv"\n',
      "b.cue": 'package env\nis: "env"\n',
      "c.cue": 'package other\nis: "other"\n',
    };
    const all = projects.make(files);
    expect(await valueOf(all)).toEqual({ is: "cuenv" });
    expect(await valueOf(all, "other")).toEqual({ is: "other" });
    const { "a.cue": _, ...rest } = files;
    expect(await valueOf(projects.make(rest))).toEqual({ is: "env" });
    expect(await valueOf(projects.make({ "c.cue": files["c.cue"] }))).toEqual({ is: "other" });
  });

  it("unifies the package's files in ancestors up to the module root, and no others", async () => {
    const root = projects.make({
      "env.cue": "package cuenv\noutside: true\n",
      "module/cue.mod/module.cue": 'module: "x.test/m@v0"\nlanguage: version: "v0.14.0"\n',
      "module/env.cue": 'package cuenv\nenv: ROOT: "r"\n',
      "module/other.cue": "package other\nelse: true\n",
      "module/a/b/env.cue": 'package cuenv\nenv: HERE: "\\(env.ROOT)/b"\n',
    });
    expect(await valueOf(join(root, "module/a/b"))).toEqual({ env: { ROOT: "r", HERE: "r/b" } });
  });

  it("does not look above a folder that is in no module", async () => {
    const root = projects.make({
      "env.cue": "package cuenv\noutside: true\n",
      "a/env.cue": "package cuenv\ninside: true\n",
    });
    expect(await valueOf(join(root, "a"))).toEqual({ inside: true });
  });

  it("imports from the module and from cue.mod/pkg, gen and usr", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": 'module: "x.test/m@v0"\nlanguage: version: "v0.14.0"\n',
      "lib/lib.cue": "package lib\na: 1\n",
      "cue.mod/pkg/example.com/pkg/p.cue": "package pkg\nb: 2\n",
      "cue.mod/gen/example.com/gen/g.cue": "package gen\nc: int\n",
      "cue.mod/usr/example.com/gen/g.cue": "package gen\nc: 3\n",
      "env.cue": `package cuenv
import ("x.test/m/lib", "example.com/pkg", "example.com/gen", "strings")
all: [lib.a, pkg.b, gen.c, strings.ToUpper("x")]
`,
    });
    expect(await valueOf(directory)).toEqual({ all: [1, 2, 3, "X"] });
  });

  it("accepts a module file of an older CUE", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": 'module: "x.test/m"\n',
      "lib/lib.cue": "package lib\na: 1\n",
      "env.cue": 'package cuenv\nimport "x.test/m/lib"\na: lib.a\n',
    });
    expect(await valueOf(directory)).toEqual({ a: 1 });
    const empty = projects.make({
      "cue.mod/module.cue": "",
      "env.cue": "package cuenv\na: 1\n",
    });
    expect(await valueOf(empty)).toEqual({ a: 1 });
  });

  it("embeds files", async () => {
    const directory = projects.make({
      "build.sh": "echo built\n",
      "data/x.json": '{"n": 1}',
      "data/y.json": '{"n": 2}',
      "env.cue": `@extern(embed)

package cuenv

tasks: build: script: _ @embed(file=build.sh,type=text)
data: _ @embed(glob=data/*.json)
`,
    });
    const { evaluation, inputs } = await evaluate({ directory });
    expect(evaluation.value).toEqual({
      tasks: { build: { script: "echo built\n" } },
      data: { "data/x.json": { n: 1 }, "data/y.json": { n: 2 } },
    });
    expect(inputs).toContainEqual(
      expect.objectContaining({ kind: "file", path: join(directory, "build.sh") }),
    );
    expect(inputs).toContainEqual(
      expect.objectContaining({ kind: "directory", path: join(directory, "data"), entries: "all" }),
    );
  });

  it("names every place that was looked at, found or not", async () => {
    const directory = join(projects.make({ "app/env.cue": "package cuenv\n" }), "app");
    const { inputs } = await evaluate({ directory });
    const paths = (kind: string): string[] =>
      inputs.filter((input) => input.kind === kind).map(({ path }) => path);
    expect(paths("file")).toEqual([join(directory, "env.cue")]);
    expect(paths("directory")).toEqual([directory]);
    expect(paths("missing")).toEqual(
      expect.arrayContaining([join(directory, "cue.mod"), join(directory, "../cue.mod")]),
    );
  });

  it("knows what tasks are called that are defined elsewhere", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
_build: schema.#Task & {command: "b"}
_all: lint: {command: "l", dependsOn: [_build]}
tasks: {
  build: _build
  _all
  seq: [{command: "s"}, build]
  group: {one: {command: "1"}, two: {command: "2", dependsOn: [one, seq[0], tasks.lint]}}
  use: {command: "u", args: ["x", seq[0].stdout, _build.exitCode]}
}
ci: [tasks.use]
`,
    });
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.references).toEqual({
      "/tasks/build": "/_build",
      "/tasks/lint/dependsOn/0": "/tasks/build",
      "/tasks/seq/1": "/tasks/build",
      "/tasks/group/two/dependsOn/0": "/tasks/group/one",
      "/tasks/group/two/dependsOn/1": "/tasks/seq/0",
      "/tasks/group/two/dependsOn/2": "/tasks/lint",
      "/tasks/use/args/1": "/tasks/seq/0/stdout",
      "/tasks/use/args/2": "/tasks/build/exitCode",
      "/ci/0": "/tasks/use",
    });
    expect(evaluation.value).toMatchObject({
      tasks: {
        build: { command: "b" },
        seq: [{ command: "s" }, null],
        use: {
          args: [
            "x",
            { cuenvOutputRef: true, cuenvTask: "seq[0]", cuenvOutput: "stdout" },
            { cuenvOutputRef: true, cuenvTask: "build", cuenvOutput: "exitCode" },
          ],
        },
      },
    });
  });

  it("answers the same package in the same words each time", async () => {
    const directory = projects.make({
      "a.cue": `package env
import s "github.com/cuenv/cuenv/schema"
import r "github.com/rawkode/cuenv"
tasks: a: s.#Later & {command: "a"}
env: {A: r.#Other, A: "1"}
`,
      "b.cue": 'package env\ntasks: b: command: "b"\n',
      "c.cue": 'package env\ntasks: c: command: "c"\n',
    });
    const answers = [];
    for (let round = 0; round < 12; round += 1)
      answers.push((await evaluateRaw({ directory })).answer);
    expect(new Set(answers).size).toBe(1);
  });

  it("counts columns as editors do", async () => {
    const directory = projects.make({
      "env.cue": 'package cuenv\n"😀é": {a: 1}, b: {c: 1}\n',
    });
    const { evaluation } = await evaluate({ directory });
    const { line, column } = evaluation.positions["/b/c"] ?? {};
    const text = readFileSync(join(directory, "env.cue"), "utf8").split("\n")[1] ?? "";
    expect([line, column]).toEqual([2, text.indexOf("c:") + 1]);
  });

  it("gives a result of linear size for tasks that depend on each other", async () => {
    const tasks = Array.from({ length: 100 }, (_, i) => {
      const before = [1, 2, 3].filter((n) => n <= i).map((n) => `tasks.t${i - n}`);
      return `t${i}: {command: "x", dependsOn: [${before.join(", ")}]}`;
    });
    const directory = projects.make({
      "env.cue": `package cuenv\ntasks: {\n${tasks.join("\n")}\n}\nci: [tasks.t99]\n`,
    });
    const { evaluation } = await evaluate({ directory });
    expect(JSON.stringify(evaluation.value).length).toBeLessThan(100 * 80);
    expect(Object.keys(evaluation.references)).toHaveLength(97 * 3 + 3 + 1);
  });

  it("T18: keeps a field named __proto__ a field", async () => {
    const directory = projects.make({ "env.cue": 'package cuenv\nx: "__proto__": polluted: 1\n' });
    const value = (await valueOf(directory)) as { x: object };
    expect(Object.keys(value.x)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

  it("serves evaluations that are asked for at once", async () => {
    const directories = [1, 2, 3, 4].map((n) =>
      projects.make({ "env.cue": `package cuenv\nn: ${n}\n` }),
    );
    expect(await Promise.all(directories.map((directory) => valueOf(directory)))).toEqual([
      { n: 1 },
      { n: 2 },
      { n: 3 },
      { n: 4 },
    ]);
  });

  it("does not keep the process alive", () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const index = JSON.stringify(new URL("index.ts", import.meta.url).href);
    const program = `const { evaluate } = await import(${index});
console.log(JSON.stringify((await evaluate({ directory: ${JSON.stringify(directory)} })).evaluation.value));`;
    const flags = ["--input-type=module", "-e", program];
    const { stdout, stderr, status } = spawnSync(process.execPath, flags, { timeout: 30_000 });
    expect([String(stdout), String(stderr), status]).toEqual(['{"a":1}\n', "", 0]);
  });
});

describe("evaluate, when it cannot", () => {
  it("gives file, line and column of a syntax error", async () => {
    const directory = projects.make({ "env.cue": 'package cuenv\ntasks: a: {command: "x"\n' });
    const error = await errorOf(evaluate({ directory }));
    expect(error.code).toBe("CUE_SYNTAX");
    expect(error.exitCode).toBe(3);
    expect(error.location).toMatchObject({ file: join(directory, "env.cue") });
    expect(error.location?.line).toBeGreaterThan(1);
  });

  it.each([
    ["a full-width colon", Buffer.from("tasks\uFF1A {}\n"), "it looks like :, and is another"],
    ["a curly quote", Buffer.from("a: \u201Cx\u201D\n"), 'it looks like ", and is another'],
    ["a space that does not break", Buffer.from("a:\u00A01\n"), "it looks like a space, and is"],
    ["UTF-16", Buffer.from("\uFEFFpackage cuenv\n", "utf16le"), "save the file as UTF-8"],
  ])("says what %s is, and what it should be", async (_name, content, hint) => {
    const directory = projects.make({ "env.cue": "" });
    writeFileSync(join(directory, "env.cue"), content);
    const error = await errorOf(evaluate({ directory }));
    expect(error.code).toBe("CUE_SYNTAX");
    expect(error.hint).toContain(hint);
    // Of a file in another encoding every character is a mistake: that is said once.
    expect(error.others.filter((other) => other.hint?.startsWith("save") === true)).toEqual([]);
  });

  it("gives all conflicts, each with its place", async () => {
    const directory = projects.make({
      "env.cue": 'package cuenv\na: 1\na: 2\nb: "x" & int\n',
    });
    const error = await errorOf(evaluate({ directory }));
    expect([error, ...error.others].map(({ code, location }) => [code, location?.line])).toEqual([
      ["CUE_EVALUATION", 3],
      ["CUE_EVALUATION", 4],
    ]);
  });

  it("names a circle of references between tasks, and not what follows from it", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
tasks: a: {command: "true", dependsOn: [tasks.b]}
tasks: b: {command: "true", dependsOn: [tasks.a]}
`,
    });
    const error = await errorOf(evaluate({ directory }));
    expect(error).toMatchObject({
      code: "CONFIG_CYCLE",
      message: expect.stringMatching(
        /^cannot order the tasks: `dependsOn` of ([ab]) leads back to \1$/,
      ),
      location: { file: join(directory, "env.cue") },
      others: [],
    });
  });

  it("refuses what is not concrete", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: string\n" });
    expect(await errorOf(evaluate({ directory }))).toMatchObject({
      code: "CUE_EVALUATION",
      message: "cannot evaluate a: incomplete value string",
    });
  });

  it("tells the place of a choice that nobody made", async () => {
    const directory = projects.make({
      "env.cue": 'package cuenv\ntasks: a: {command: "x" | "y"}\ntasks: a: timeout: int | "3s"\n',
    });
    const error = await errorOf(evaluate({ directory }));
    expect([error, ...error.others].map(({ location }) => location)).toEqual([
      { file: join(directory, "env.cue"), line: 2, column: 12 },
      { file: join(directory, "env.cue"), line: 3, column: 11 },
    ]);
  });

  it("says which packages there are when none is the default", async () => {
    const directory = projects.make({ "a.cue": "package a\n", "b.cue": "package b\n" });
    expect(await errorOf(evaluate({ directory }))).toMatchObject({
      code: "CUE_PACKAGE_AMBIGUOUS",
      message: `cannot evaluate ${directory}: it has several packages a, b`,
    });
  });

  it("says that there is no package, or not the one asked for", async () => {
    const directory = projects.make({ "a.cue": "package a\n", "empty/x": "" });
    expect((await errorOf(evaluate({ directory, packageName: "b" }))).code).toBe(
      "CUE_PACKAGE_NOT_FOUND",
    );
    expect((await errorOf(evaluate({ directory: join(directory, "empty") }))).code).toBe(
      "CUE_PACKAGE_NOT_FOUND",
    );
    expect((await errorOf(evaluate({ directory: join(directory, "none") }))).code).toBe("CUE_READ");
  });

  it.each([
    ['"not a path!!"', "module path \"not a path!!\" is not valid: invalid char ' '"],
    ["3", "module field has unexpected type int64"],
  ])("names the module file where its module is %s", async (module, reason) => {
    const directory = projects.make({
      "cue.mod/module.cue": `module: ${module}\nlanguage: version: "v0.14.0"\n`,
      "app/env.cue": "package cuenv\n",
    });
    const file = join(directory, "cue.mod/module.cue");
    const app = join(directory, "app");
    expect(await errorOf(evaluate({ directory: app }))).toMatchObject({
      code: "CUE_IMPORT",
      message: `cannot load ${app}: ${file}: ${reason}`,
      location: { file },
    });
  });

  it("goes to no registry for a module that is declared", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": `module: "x.test/m@v0"
language: version: "v0.14.0"
deps: "example.com/dep@v1": v: "v1.2.3"
`,
      "env.cue": 'package cuenv\nimport "example.com/dep"\na: dep.a\n',
    });
    const error = await errorOf(evaluate({ directory }));
    expect(error).toMatchObject({ code: "CUE_IMPORT", location: { line: 2 } });
    expect(error.message).toContain("example.com/dep");
    expect(error.hint).toContain("cue.mod/pkg");
  });

  it("ends when it is aborted, and evaluates again afterwards", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
import "list"
q: [for a in list.Range(0, 20000, 1) for b in list.Range(0, 20000, 1) {a * b}]
`,
    });
    const signal = AbortSignal.timeout(300);
    await expect(evaluate({ directory, signal })).rejects.toMatchObject({ name: "TimeoutError" });
    expect(await valueOf(projects.make({ "env.cue": "package cuenv\na: 1\n" }))).toEqual({ a: 1 });
  });
});
