import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();

describe("files of cuenv 0.5 and earlier", () => {
  const env = `package env

import "github.com/rawkode/cuenv"

env: cuenv.#Env & {
	APP: "x"
	URL: "http://\\(APP)"
	TOKEN: cuenv.#Secret & {resolver: {cmd: "print-token", args: ["t"]}}
	KEY: cuenv.#OnePasswordRef & {ref: "op://vault/key"}
	PLAIN: "v" @capability("aws")
	environment: production: APP: "prod"
	capabilities: aws: commands: ["aws"]
}
hooks: onEnter: {command: "echo", args: ["hi"]}
tasks: {
	"test:unit": {command: "go test", dependencies: ["build"], cache: true, inputs: ["**/*.go"]}
	build: {
		description: "b"
		script: """
			echo hi
			"""
		cache: {enabled: true, env: {include: ["A"], useSmartDefaults: false}}
		cacheKey: "k"
		security: {restrictDisk: true, readOnlyPaths: ["/usr"]}
		timeout: 60
	}
}
`;
  const expected = {
    env: {
      APP: "x",
      URL: "http://x",
      TOKEN: { resolver: { cmd: "print-token", args: ["t"] } },
      KEY: { ref: "op://vault/key", resolver: { command: "op", args: ["read", "op://vault/key"] } },
      PLAIN: "v",
      environment: { production: { APP: "prod" } },
      capabilities: { aws: { commands: ["aws"] } },
    },
    hooks: { onEnter: { command: "echo", args: ["hi"] } },
    tasks: {
      "test:unit": {
        command: "go test",
        dependencies: ["build"],
        cache: true,
        inputs: ["**/*.go"],
      },
      build: {
        description: "b",
        script: "echo hi",
        cache: { enabled: true, env: { include: ["A"], useSmartDefaults: false } },
        cacheKey: "k",
        security: { restrictDisk: true, readOnlyPaths: ["/usr"] },
        timeout: 60,
      },
    },
  };

  it("load offline with a module that depends on cuenv's", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": `module: "github.com/somebody/project@v0"
language: version: "v0.13.2"
deps: "github.com/rawkode/cuenv@v0": v: "v0.4.7"
`,
      "env.cue": env,
    });
    const result = await evaluate({ directory });
    expect(result.packageName).toBe("env");
    expect(result.evaluation.value).toEqual(expected);
    expect(result.evaluation.attributes).toEqual({ "/env/PLAIN": ['@capability("aws")'] });
    expect(result.unknownDefinitions).toEqual([]);
  });

  it("load without any module", async () => {
    const directory = projects.make({ "env.cue": env });
    expect((await evaluate({ directory })).evaluation.value).toEqual(expected);
  });

  it("load in a module that has the path of cuenv's own, and over a vendored schema", async () => {
    const directory = projects.make({
      "cue.mod/module.cue":
        'module: "github.com/rawkode/cuenv/examples@v0"\nlanguage: version: "v0.13.2"\n',
      "cue.mod/pkg/github.com/rawkode/cuenv/env.cue": "package cuenv\n#Env: close({})\n",
      "env.cue": env,
    });
    expect((await evaluate({ directory })).evaluation.value).toEqual(expected);
  });
});

describe("files of cuenv 0.6", () => {
  it("load with the schema embedded, unified with their ancestors", async () => {
    const root = projects.make({
      "cue.mod/module.cue": 'module: "github.com/rawkode/cuenv"\nlanguage: version: "v0.13.0"\n',
      "env.cue": `package examples

import "github.com/rawkode/cuenv/schema"

schema.#Cuenv & {
	env: {ROOT: "r", environment: staging: ROOT: "s"}
}
`,
      "projects/web/env.cue": `package examples

import "github.com/rawkode/cuenv/schema"

schema.#Cuenv

config: {cacheMode: "read", outputFormat: "tui"}
hooks: onEnter: schema.#NixFlake & {preload: true}
env: API: "\\(env.ROOT)/api"
tasks: {
	build: {command: "cargo", args: ["build"], capabilities: ["a"], timeout: 60}
	ci: {
		description: "all"
		tasks: [{command: "a"}, {command: "b"}]
	}
	par: {tasks: {x: {command: "a"}, y: {command: "b", dependencies: ["x"]}}}
	nested: {unit: {command: "u"}, deep: {more: {command: "v"}}}
	cross: {command: "z", dependencies: ["projects:web:build", "par.x"], cache: false}
}
`,
    });
    const { evaluation, packageName } = await evaluate({ directory: join(root, "projects/web") });
    expect(packageName).toBe("examples");
    expect(evaluation.value).toMatchObject({
      env: { ROOT: "r", API: "r/api", environment: { staging: { ROOT: "s" } } },
      hooks: {
        onEnter: { command: "nix", args: ["print-dev-env"], source: true, preload: true },
      },
      tasks: {
        build: { command: "cargo", args: ["build"], capabilities: ["a"], timeout: 60 },
        ci: { description: "all", tasks: [{ command: "a" }, { command: "b" }] },
        par: { tasks: { x: { command: "a" }, y: { command: "b", dependencies: ["x"] } } },
        nested: { unit: { command: "u" }, deep: { more: { command: "v" } } },
        cross: { cache: false },
      },
    });
  });
});

describe("files of cuenv 0.7 and later", () => {
  const module = 'module: "github.com/somebody/project"\nlanguage: version: "v0.14.1"\n';

  // Most projects write it so: in `ci`, `tasks` is another field.
  it.each([
    ["at the top", "schema.#Project\nlet _t = tasks\n", ""],
    ["in the project", "schema.#Project & {\nlet _t = tasks\n", "}\n"],
    ["for a let", "schema.#Project\nlet _all = tasks\nlet _t = _all\n", ""],
  ])("load with references through a let %s", async (_, begin, end) => {
    const directory = projects.make({
      "cue.mod/module.cue": module,
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
${begin}
name: "c"
ci: pipelines: default: tasks: [_t.build]
let _shared = [_t.build, {command: "shared"}]
let _check = _t.check.a
tasks: {
	build: schema.#Task & {command: "cargo"}
	check: {type: "group", a: {command: "a", dependsOn: [_t.build]}}
	seq: [_t.build, {command: "two", args: [_t.build.stdout]}]
	one: _shared
	two: _shared
	uses: schema.#Task & {command: "echo", args: [_check.stdout], dependsOn: [_t.check, _t.seq[1], _t["build"]]}
}
${end}`,
    });
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.references).toMatchObject({
      "/ci/pipelines/default/tasks/0": "/tasks/build",
      "/tasks/check/a/dependsOn/0": "/tasks/build",
      "/tasks/seq/0": "/tasks/build",
      "/tasks/seq/1/args/0": "/tasks/build/stdout",
      "/tasks/one/0": "/tasks/build",
      "/tasks/two/0": "/tasks/build",
      "/tasks/uses/args/0": "/tasks/check/a/stdout",
      "/tasks/uses/dependsOn/0": "/tasks/check",
      "/tasks/uses/dependsOn/1": "/tasks/seq/1",
      "/tasks/uses/dependsOn/2": "/tasks/build",
    });
    expect(evaluation.value).toMatchObject({
      tasks: { uses: { args: [{ cuenvTask: "check.a" }], dependsOn: [null, null, null] } },
    });
  });

  it.each([
    ["a hidden field", "_all: tasks\n_t: _all\ntasks: {"],
    ["a value alias", "tasks: _t={"],
  ])("load with references through %s", async (_, begin) => {
    const directory = projects.make({
      "env.cue": `package cuenv
${begin}
	build: {command: "cargo"}
	check: {type: "group", a: {command: "a", dependsOn: [_t.build]}}
	uses: {command: "echo", args: [_t.check.a.stdout], dependsOn: [_t.check, _t["build"]]}
}
`,
    });
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.references).toMatchObject({
      "/tasks/check/a/dependsOn/0": "/tasks/build",
      "/tasks/uses/dependsOn/0": "/tasks/check",
      "/tasks/uses/dependsOn/1": "/tasks/build",
    });
    expect(evaluation.value).toMatchObject({
      tasks: { uses: { args: [{ cuenvTask: "check.a" }], dependsOn: [null, null] } },
    });
  });

  it("load with groups, sequences, references and shared tasks", async () => {
    const directory = projects.make({
      "cue.mod/module.cue": module,
      "shared/shared.cue": `package shared
import "github.com/cuenv/cuenv/schema"
#Lint: schema.#Task & {command: "lint", dir: {from: "definition", path: "."}}
`,
      "env.cue": `package cuenv

import (
	"github.com/cuenv/cuenv/schema"
	"github.com/somebody/project/shared"
)

schema.#Project & {
	name: "c"
	env: {
		N: 3
		B: true
		S: schema.#ExecSecret & {command: "echo", args: ["x"]}
		J: ["a-", schema.#ExecSecret & {command: "echo"}]
	}
	ci: pipelines: default: tasks: [_t.build]
	tasks: _t
}
_t: {
	build: schema.#Task & {command: "cargo", inputs: ["src/**", {task: "lint"}], cache: {mode: "read-write", maxAge: "7d"}}
	lint: shared.#Lint
	check: schema.#TaskGroup & {
		type: "group"
		maxConcurrency: 2
		a: schema.#Task & {script: "echo a", scriptShell: "bash", shellOptions: errexit: true}
		b: {command: "b", dependsOn: [_t.build, a]}
	}
	seq: schema.#TaskSequence & [schema.#Task & {command: "one"}, {command: "two", args: [_t.build.stdout]}]
	uses: schema.#Task & {command: "echo", args: [seq[0].stdout], dependsOn: [check, seq[1]], timeout: "30m", retry: {attempts: 2, delay: "1s"}, params: {}, hermetic: false}
}
`,
    });
    const { evaluation, unknownDefinitions } = await evaluate({ directory });
    expect(unknownDefinitions).toEqual([]);
    expect(evaluation.references).toEqual({
      "/tasks": "/_t",
      "/ci/pipelines/default/tasks/0": "/tasks/build",
      "/tasks/check/b/dependsOn/0": "/tasks/build",
      "/tasks/check/b/dependsOn/1": "/tasks/check/a",
      "/tasks/seq/1/args/0": "/tasks/build/stdout",
      "/tasks/uses/args/0": "/tasks/seq/0/stdout",
      "/tasks/uses/dependsOn/0": "/tasks/check",
      "/tasks/uses/dependsOn/1": "/tasks/seq/1",
    });
    expect(evaluation.positions["/tasks/lint/command"]?.file).toBe(
      join(directory, "shared/shared.cue"),
    );
    expect(evaluation.value).toMatchObject({
      name: "c",
      env: { N: 3, B: true, S: { resolver: "exec", command: "echo", args: ["x"] } },
      tasks: {
        lint: { command: "lint", dir: { from: "definition", path: "." } },
        check: { type: "group", maxConcurrency: 2, b: { command: "b", dependsOn: [null, null] } },
        seq: [{ command: "one" }, { command: "two" }],
        uses: { args: [{ cuenvOutputRef: true, cuenvTask: "seq[0]", cuenvOutput: "stdout" }] },
      },
    });
  });

  it("take definitions that our schema lacks as anything, and tell which", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
services: db: schema.#Postgres & {port: 5432}
text: schema.#Postgres & "x"
bare: schema.#Mystery
`,
    });
    const { evaluation, unknownDefinitions } = await evaluate({ directory });
    expect(evaluation.value).toEqual({ services: { db: { port: 5432 } }, text: "x", bare: {} });
    expect(unknownDefinitions).toEqual(["schema.#Postgres", "schema.#Mystery"]);
  });

  it("refuse a near miss of a definition", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
tasks: a: schema.#Tsak & {command: "x"}
`,
    });
    const error = await errorOf(evaluate({ directory }));
    expect(error.location).toMatchObject({ file: join(directory, "env.cue"), line: 3 });
    expect(error.message).toContain("#Tsak");
  });

  it("refuse fields that a task does not have", async () => {
    const directory = projects.make({
      "env.cue": `package cuenv
import "github.com/cuenv/cuenv/schema"
tasks: a: schema.#Task & {command: "x", frobnicate: 1}
`,
    });
    expect(await errorOf(evaluate({ directory }))).toMatchObject({
      code: "CUE_INVALID",
      message: "cannot use tasks.a.frobnicate: there is no such field",
      location: { line: 3 },
    });
  });
});
