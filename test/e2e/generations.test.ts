import { describe, expect, it } from "vitest";
import { statusOf } from "./run-json.ts";
import { createSandbox } from "./sandbox.ts";

const seed = `package env

import "github.com/rawkode/cuenv"

env: cuenv.#Env & {
	APP_NAME: "seed"
	APP_URL:  "https://\\(APP_NAME).example"
	PORT:     "3000" @capability("net")
	environment: production: PORT: "80"
}

tasks: {
	"build:app": {
		description: "Builds"
		command:     "echo $APP_URL:$PORT > out.txt; cat out.txt"
		inputs: ["src/*"]
		outputs: ["out.txt"]
		cache: true
	}
	"all": {
		script: """
			echo all of $APP_NAME
			"""
		dependencies: ["build:app"]
		cache: enabled: false
	}
}
`;
const six = `package cuenv

import "github.com/rawkode/cuenv/schema"

schema.#Cuenv

env: {
	APP_NAME: "six"
	environment: production: APP_NAME: "six-production"
}
tasks: {
	lint: {
		command: "echo"
		args: ["lint of", "six"]
		inputs: ["src/*"]
	}
	ci: {
		description: "A group that is run in order"
		tasks: [
			{command: "echo", args: ["one"]},
			{command: "echo", args: ["two"]},
		]
	}
	show: {command: "echo $APP_NAME", dependencies: ["lint"]}
}
`;
const fiftyFour = `package cuenv

import "github.com/cuenv/cuenv/schema"

schema.#Project

name: "fifty-four"
env: {LEVEL: 3, VERBOSE: true}
tasks: {
	greet: schema.#Task & {
		command: "echo"
		args: ["hello"]
		inputs: ["src/*"]
		cache: {mode: "read-write", maxAge: "1h"}
	}
	check: schema.#TaskGroup & {
		type: "group"
		unit: schema.#Task & {command: "echo", args: ["unit"], dependsOn: [greet]}
		lint: schema.#Task & {script: "echo lint $LEVEL $VERBOSE"}
	}
	release: schema.#TaskSequence & [
		schema.#Task & {command: "echo", args: ["tag"], dependsOn: [check]},
		schema.#Task & {command: "echo", args: [greet.stdout]},
	]
}
`;
const module = (name: string, deps = ""): string =>
  `module: "${name}"\nlanguage: version: "v0.13.2"\n${deps}`;

describe.concurrent("existing files of cuenv", () => {
  it("row 22: one of 0.5 runs, with its schema, interpolation, capability and environment", async () => {
    const deps = 'deps: "github.com/rawkode/cuenv@v0": v: "v0.4.7"\n';
    const own = createSandbox({
      "env.cue": seed,
      "cue.mod/module.cue": module("example.com/app", deps),
      "src/a": "a",
    });
    const run = await own.cuenv(["run", "build:app"]);
    expect(run, run.stderr).toMatchObject({ code: 0, stdout: "https://seed.example:3000\n" });
    expect(await statusOf(own, "build:app")).toBe("hit");
    const production = await own.cuenv(["run", "-e", "production", "build:app"]);
    expect(production.stdout).toBe("https://seed.example:80\n");
    const all = await own.cuenv(["task", "all", "--output", "raw"]);
    expect(all.stdout).toMatch(/all of seed\n$/);
  });

  it("row 22: one of 0.6 runs, with its groups and arguments", async () => {
    const own = createSandbox({
      "env.cue": six,
      "cue.mod/module.cue": module("example.com/app"),
      "src/a": "a",
    });
    const lint = await own.cuenv(["task", "lint"]);
    expect(lint, lint.stderr).toMatchObject({ code: 0, stdout: "lint of six\n" });
    expect(await statusOf(own, "lint")).toBe("hit");
    const ci = await own.cuenv(["task", "ci", "--output", "raw"]);
    expect(ci, ci.stderr).toMatchObject({ code: 0, stdout: "one\ntwo\n" });
    const show = await own.cuenv(["task", "show", "-e", "production", "--output", "raw"]);
    expect(show.stdout).toMatch(/six-production\n$/);
  });

  it("row 22: one of 0.54 runs, with references, groups and sequences", async () => {
    const own = createSandbox({
      "env.cue": fiftyFour,
      "cue.mod/module.cue": module("example.com/app"),
      "src/a": "a",
    });
    const greet = await own.cuenv(["task", "greet"]);
    expect(greet, greet.stderr).toMatchObject({ code: 0, stdout: "hello\n" });
    expect(await statusOf(own, "greet")).toBe("hit");
    const check = await own.cuenv(["task", "check", "--output", "raw"]);
    expect(check.code, check.stderr).toBe(0);
    expect(check.stdout).toMatch(/hello\n[^]*unit\n/);
    expect(check.stdout).toMatch(/lint 3 true\n/);
    const release = await own.cuenv(["task", "release", "--output", "raw"]);
    expect(release.code, release.stderr).toBe(0);
    expect(release.stdout).toMatch(/tag\nhello\n$/);
  });

  it("row 22: a file without import or module runs, and --package chooses another package", async () => {
    const own = createSandbox({
      "env.cue": 'package env\n\ntasks: t: command: "echo plain"\n',
      "other.cue": 'package examples\n\ntasks: t: command: "echo other"\n',
    });
    expect((await own.cuenv(["task", "t"])).stdout).toBe("plain\n");
    expect((await own.cuenv(["task", "t", "--package", "examples"])).stdout).toBe("other\n");
    expect((await own.cuenv(["task", "t"], { env: { CUENV_PACKAGE: "examples" } })).stdout).toBe(
      "other\n",
    );
  });

  it("row 22: files of the package in folders above, up to the module, are part of it", async () => {
    const own = createSandbox({
      "cue.mod/module.cue": module("example.com/app"),
      "env.cue": 'package cuenv\n\nenv: FROM_ABOVE: "yes"\ntasks: shared: command: "echo shared"\n',
      "sub/env.cue": 'package cuenv\n\ntasks: t: command: "echo $FROM_ABOVE"\n',
    });
    expect((await own.cuenv(["task", "t"], { cwd: "sub" })).stdout).toBe("yes\n");
    own.write("env.cue", 'package cuenv\n\nenv: FROM_ABOVE: "changed"\n');
    expect((await own.cuenv(["task", "t"], { cwd: "sub" })).stdout).toBe("changed\n");
  });

  it("row 22: a definition that our schemas lack is named once, with its place, by the runs that recall it too", async () => {
    const own = createSandbox({
      "env.cue": `package cuenv

import "github.com/cuenv/cuenv/schema"

tasks: a: schema.#Task & {command: "echo", args: ["a"], inputs: []}
`,
      "services.cue": `package cuenv

import s "github.com/cuenv/cuenv/schema"

// s.#Mystery is said here, and used below.
db:    s.#MysteryBox & {port: 1}
other: s.#Mystery & {port: 5432}
more:  s.#Mystery
`,
    });
    for (const env of [{}, {}, { CUENV_CACHE: "off" }]) {
      const run = await own.cuenv(["task", "a"], { env });
      expect(run).toMatchObject({ code: 0, stdout: "a\n" });
      expect(run.stderr.match(/^warning: .*#Mystery.*$/gm)).toEqual([
        expect.stringMatching(/^warning: services\.cue:6:10: `schema\.#MysteryBox` .*not checked$/),
        expect.stringMatching(/^warning: services\.cue:7:10: `schema\.#Mystery` .*not checked$/),
      ]);
    }
  });
});
