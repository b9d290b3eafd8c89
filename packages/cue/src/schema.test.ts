import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";
import { knownFields } from "./known-fields.ts";

const projects = projectsForTests();

async function problemsOf(text: string): Promise<readonly object[]> {
  const directory = projects.make({ "env.cue": `package cuenv\n${text}\n` });
  const error = await errorOf(evaluate({ directory }));
  return [error, ...error.others].map(({ code, message, hint, location }) => ({
    code,
    message,
    hint,
    line: location?.line,
    column: location?.column,
    isHere: location?.file === join(directory, "env.cue"),
  }));
}

describe("the schema, without being imported,", () => {
  it.each([
    ['tasks: a: {comand: "x"}', "tasks.a.comand", "command"],
    [
      'tasks: a: {command: "x", cachConfig: {envInclude: ["X"]}}',
      "tasks.a.cachConfig",
      "cacheConfig",
    ],
    ['tasks: a: {command: "x", dependancies: ["y"]}', "tasks.a.dependancies", "dependencies"],
    ['tasks: g: inner: {command: "x", inptus: ["y"]}', "tasks.g.inner.inptus", "inputs"],
    ['tasks: s: [{command: "x"}, {comand: "y"}]', "tasks.s.1.comand", "command"],
    ['tasks: g: tasks: {a: {comand: "x"}}', "tasks.g.tasks.a.comand", "command"],
    [
      'tasks: a: {command: "x", cacheConfig: envInclud: ["X"]}',
      "tasks.a.cacheConfig.envInclud",
      "envInclude",
    ],
    ['tasks: a: {command: "x", cache: enviro: {}}', "tasks.a.cache.enviro", "enabled, env, mode"],
    ['config: cache: evictonPolicy: "LRU"', "config.cache.evictonPolicy", "evictionPolicy"],
  ])("finds the misspelt field in %s", async (text, path, near) => {
    const [first, ...others] = await problemsOf(text);
    expect(first).toMatchObject({
      code: "CUE_INVALID",
      message: `cannot use ${path}: there is no such field`,
      hint: expect.stringMatching(near),
      line: 2,
      isHere: true,
    });
    expect(others).toEqual([]);
  });

  it.each([
    [
      'tasks: a: {command: "x", cache: "yes"}',
      'a.cache: it must be true or false or a struct, not "yes"',
    ],
    ['tasks: a: {command: "x", args: "y"}', 'a.args: it must be a list, not "y"'],
    ["tasks: a: {command: 3}", "a.command: it must be a string, not 3"],
    ["tasks: a: 3", "a: it must be a list or a struct, not 3"],
    ['tasks: a: {command: "x", inputs: {a: 1}}', "a.inputs: it must be a list, not {a:1}"],
    [
      'tasks: a: {command: "x", cacheConfig: keyEpoch: 1.5}',
      "a.cacheConfig.keyEpoch: it must be a whole number, not 1.5",
    ],
  ])("finds the wrong type in %s", async (text, message) => {
    expect(await problemsOf(text)).toMatchObject([
      { code: "CUE_INVALID", message: `cannot use tasks.${message}`, line: 2, isHere: true },
    ]);
  });

  it.each([
    [
      'tasks: {a: {command: "x"}, all: ["a", a]}',
      'tasks.all.0: it must be a list or a struct, not "a"',
      "without quotes",
    ],
    [
      'tasks: a: {command: "x", deps: ["b"]}',
      'tasks.a.deps.0: it must be a list or a struct, not "b"',
      "Names are for `dependencies`",
    ],
    [
      'tasks: a: {command: "x", envInclude: ["MY_*"]}',
      'tasks.a.envInclude.0: it must be a list or a struct, not "MY_*"',
      "`cacheConfig: envInclude: …`",
    ],
    ['tasks: a: "make"', 'tasks.a: it must be a list or a struct, not "make"', "as its `command`"],
    [
      'tasks: {a: {command: "x"}, b: {command: "x", args: ["v\\(a.stdout)"]}}',
      "tasks.b.args.0: another task's output cannot stand within a text",
      "a part of a variable",
    ],
  ])("says what to write instead of %s", async (text, message, hint) => {
    expect(await problemsOf(text)).toMatchObject([
      {
        code: "CUE_INVALID",
        message: `cannot use ${message}`,
        hint: expect.stringContaining(hint),
        line: 2,
        isHere: true,
      },
    ]);
  });

  it("finds every mistake at once", async () => {
    const problems = await problemsOf(`tasks: {
  a: {command: "x", cache: "yes"}
  b: {comand: "x"}
  c: {command: "x", args: "y"}
}
config: cache: enabled: "true"`);
    expect(problems.map((problem) => (problem as { line: number }).line)).toEqual([3, 4, 5, 7]);
  });

  it.each([
    ["every field of a task", everyTaskField()],
    [
      "legacy groups whose members have the names of nothing",
      'tasks: g: {x: {command: "a"}, y: [{command: "b"}]}',
    ],
    ["helper fields at the top", 'helper: 1\nmore: [{x: null}]\ntasks: a: command: "\\(helper)"'],
    ["tasks made by comprehensions", 'tasks: {for n in ["a", "b"] {"\\(n):x": {command: n}}}'],
    ["a task that builds on another", 'tasks: {a: {command: "x"}, b: a & {args: ["y"]}}'],
    [
      "settings of the cache, in both spellings",
      'config: cache: {enabled: true, maxSize: "2GiB", max_age: "7d", evictionPolicy: "lru", runtime: ["node --version"]}',
    ],
  ])("accepts %s", async (_, text) => {
    const directory = projects.make({ "env.cue": `package cuenv\n${text}\n` });
    await expect(evaluate({ directory })).resolves.toBeDefined();
  });

  it("leaves files alone that are evaluated without it", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\ntasks: 3\n" });
    const { evaluation } = await evaluate({ directory, validate: false });
    expect(evaluation.value).toEqual({ tasks: 3 });
  });
});

describe("knownFields", () => {
  it.each([
    ["task.cue", "#TaskFields", ["tasks", "a"]],
    ["task.cue", "#CacheConfig", ["tasks", "a", "cacheConfig"]],
    ["task.cue", "#TaskCache", ["tasks", "a", "cache"]],
    ["task.cue", "#EnvFilter", ["tasks", "a", "cache", "env"]],
    ["file.cue", "#CacheSettings", ["config", "cache"]],
  ])("has the fields of %s %s", (file, definition, path) => {
    const text = readFileSync(new URL(`../schema/base/${file}`, import.meta.url), "utf8");
    const body = new RegExp(`^${definition}: \\{\\n(.*?)^\\}`, "ms").exec(text)?.[1] ?? "";
    const fields = [...body.matchAll(/^\t"?([\w$]+)"?\??:/gm)].map(([, name]) => name);
    expect(fields.length).toBeGreaterThan(3);
    expect([...knownFields(path)].toSorted((a, b) => (a < b ? -1 : 1))).toEqual(
      fields.toSorted((a = "", b = "") => (a < b ? -1 : 1)),
    );
  });
});

function everyTaskField(): string {
  return `tasks: a: {
  description: "d", command: "c", args: ["x", 1, true], shell: "bash"
  workingDir: ".", dir: {from: "module", path: "x"}, env: {A: "1", B: 2}
  dependencies: [], dependsOn: [], inputs: ["a", {task: "b"}], outputs: []
  cache: {enabled: true, env: {include: ["A"], exclude: [], useSmartDefaults: true}, mode: "read", maxAge: "1d"}
  cacheKey: "k", cacheConfig: {envInclude: ["A*"], env_exclude: [], extraInputs: [], ignoreInputs: [], customKeyComponents: {a: 1}, keyEpoch: 2, timeout: 3}
  cache_env: include: ["X"]
  timeout: "30m", retry: {attempts: 2, delay: "1s"}, continueOnError: true, params: {x: {type: "int"}}
  labels: ["l"], hermetic: false, captures: {v: {pattern: "x"}}, security: restrictDisk: true
  capabilities: ["c"], runtime: {type: "nix"}, dagger: image: "x", type: "x", maxConcurrency: 1
}
tasks: s: {script: "x", scriptShell: "bash", shellOptions: {errexit: true, pipefail: false}, cache_config: {max_age: "1d"}}`;
}
