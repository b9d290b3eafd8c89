import { describe, expect, it } from "vitest";
import {
  createSandbox,
  cue,
  launcher,
  plainEnvironment,
  runProgram,
  type Sandbox,
} from "./sandbox.ts";

interface Inspected {
  readonly projects: readonly {
    readonly directory: string;
    readonly name: string | null;
    readonly tasks: readonly (Readonly<Record<string, unknown>> & { readonly name: string })[];
    readonly environment: string | null;
    readonly environments: readonly {
      readonly name: string;
      readonly definitions: Readonly<Record<string, string>>;
    }[];
    readonly read: readonly string[];
    readonly error: Readonly<Record<string, unknown>> | null;
    readonly writtenTasks?: readonly string[];
  }[];
}

async function inspect(sandbox: Sandbox, args: readonly string[] = []): Promise<Inspected> {
  const { stdout, code, stderr } = await sandbox.cuenv(["inspect", "--json", ...args]);
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout) as Inspected;
}

const build = { command: "make", inputs: ["src"], outputs: ["dist"] };

describe("cuenv inspect", () => {
  it("gives the tasks of many projects, and of one that is wrong its error and the names that stand there", async () => {
    const sandbox = createSandbox({
      ".gitignore": "gen\n",
      "nx.json": "{}",
      "a/env.cue": cue({
        name: "alpha",
        tasks: {
          build: { ...build, inputs: ["src", "gen/a"] },
          test: { ...build, outputs: ["t"], dependencies: ["build"] },
        },
      }),
      "b/env.cue":
        'package cuenv\nname: "beta"\ntasks: {\n\tbuild: comand: 3\n\tlint: command: "x"\n}\n',
    });
    const { projects } = await inspect(sandbox, ["a", "b", "none"]);
    expect(projects.map(({ name, tasks }) => [name, tasks.map((task) => task.name)])).toEqual([
      ["alpha", ["build", "test"]],
      ["beta", []],
      [null, []],
    ]);
    expect(projects[1]).toMatchObject({
      error: { file: sandbox.path("b/env.cue"), line: 4 },
      writtenTasks: ["build", "lint"],
    });
    expect(projects[2]).toMatchObject({ error: { code: "PROJECT_NOT_FOUND" }, writtenTasks: [] });
    expect(projects[0]?.tasks[0]).toMatchObject({ ignoredInputs: ["gen/a"] });
    expect(projects[0]?.read).toEqual(
      expect.arrayContaining([
        sandbox.path("a/env.cue"),
        sandbox.path("cuenv.cache.yaml"),
        sandbox.path(".gitignore"),
      ]),
    );
  });

  it("has another definition when what decides the result changes, and the same when nothing does", async () => {
    const other = { command: "other", inputs: [] };
    const changes = [
      { command: "make all" },
      { outputs: ["out"] },
      { env: { LEVEL: "2" } },
      { workingDir: "src" },
      { timeout: 9 },
      { cacheConfig: { keyEpoch: 2 } },
      { cacheConfig: { customKeyComponents: { flavour: "x" } } },
      { cacheConfig: { envInclude: ["CC"] } },
    ];
    const contents = [
      { tasks: { build, other } },
      { tasks: { build: { ...build, description: "Builds it" }, other } },
      { env: { ALL: "1" }, tasks: { build, other } },
      ...changes.map((change) => ({ tasks: { build: { ...build, ...change }, other } })),
    ];
    // Each is a workspace of its own: where a project lies is in the definition.
    const files = contents.flatMap((content, index) => [
      [`${index}/env.cue`, cue(content)],
      [`${index}/nx.json`, "{}"],
    ]);
    const sandbox = createSandbox(Object.fromEntries(files) as Record<string, string>);
    const { projects } = await inspect(sandbox, [...contents.keys()].map(String));
    const [first, same, all, ...changed] = projects.map(({ tasks }) =>
      tasks.map((task) => task["definition"]),
    );
    expect(same).toEqual(first);
    expect(all?.filter((each) => first?.includes(each))).toEqual([]);
    for (const [index, definitions] of changed.entries()) {
      const what = JSON.stringify(changes[index]);
      expect(definitions[0], what).not.toBe(first?.[0]);
      expect(definitions[1], what).toBe(first?.[1]);
    }
  });

  it("says what another tool cannot do by itself", async () => {
    const sandbox = createSandbox({
      "env.cue": cue({
        env: {
          TOKEN: { resolver: { command: "vault" } },
          HOSTED: { cuenvPassthrough: true },
          environment: { prod: { LEVEL: "1" } },
        },
        tasks: {
          build,
          free: { type: "group", one: { command: "true" }, two: { command: "true" } },
          bounded: {
            type: "group",
            maxConcurrency: 1,
            one: { command: "true" },
            two: { command: "true" },
          },
          boxed: { command: "true", security: { restrictDisk: true } },
          version: { command: "git", args: ["describe"] },
        },
      }).replace(
        /\}\s*$/,
        ', tasks: ordered: [tasks.version, tasks.build], tasks: uses: {command: "echo", args: [tasks.version.stdout]}}',
      ),
    });
    const { projects } = await inspect(sandbox);
    const task = (name: string) => projects[0]?.tasks.find((each) => each.name === name);
    expect([task("free"), task("bounded"), task("ordered")].map((each) => each?.["free"])).toEqual([
      true,
      false,
      false,
    ]);
    expect(task("boxed")).toMatchObject({
      refused: { message: expect.stringContaining("restrictDisk") as string },
    });
    expect(task("uses")).toMatchObject({ printedBy: ["version"], commands: ["version"] });
    expect(task("build")).toMatchObject({ environment: { secrets: ["TOKEN"], host: ["HOSTED"] } });
    const environment = projects[0]?.environments[0];
    expect(environment?.name).toBe("prod");
    expect(environment?.definitions["build"]).not.toBe(task("build")?.["definition"]);
  });

  it("has a project without the environment as it is without one, when that is asked for", async () => {
    const tasks = { build: { ...build, command: "make $LEVEL" } };
    const sandbox = createSandbox({
      "a/env.cue": cue({ env: { LEVEL: "1", environment: { prod: { LEVEL: "2" } } }, tasks }),
      "b/env.cue": cue({ env: { LEVEL: "1", environment: { other: { LEVEL: "2" } } }, tasks }),
      "c/env.cue": "tasks: [",
    });
    const strict = await inspect(sandbox, ["a", "b", "--env", "prod"]);
    expect(strict.projects.map(({ environment, error }) => [environment, error?.["code"]])).toEqual(
      [
        ["prod", undefined],
        [null, "CONFIG_UNKNOWN_ENVIRONMENT"],
      ],
    );
    const args = ["a", "b", "c", "--env", "prod", "--env-if-known"];
    const lenient = await inspect(sandbox, args);
    expect(lenient.projects.map(({ environment, error }) => [environment, error === null])).toEqual(
      [
        ["prod", true],
        [null, true],
        [null, false],
      ],
    );
    const plain = await inspect(sandbox, ["b"]);
    expect(lenient.projects[1]?.tasks).toEqual(plain.projects[0]?.tasks);
    expect(lenient.projects[1]?.read).toContain(sandbox.path("b/env.cue"));
  });

  it("finds, without a folder, the project of the package that is asked for, as a run does", async () => {
    const sandbox = createSandbox({
      "build.cue": 'package other\ntasks: t: {command: "true", inputs: []}\n',
      "sub/file": "",
    });
    for (const [args, env] of [
      [["--package", "other"], {}],
      [[], { CUENV_PACKAGE: "other" }],
    ] as const) {
      const run = await sandbox.cuenv(["-C", "sub", "inspect", ...args], { env });
      expect([run.code, run.stdout]).toEqual([0, `${sandbox.root}\n  t: no files → nothing\n`]);
    }
  });

  it("reads a list of folders on stdin, and prints for people with exit code 3 when one is wrong", async () => {
    const sandbox = createSandbox({
      "a/env.cue": cue({ tasks: { build } }),
      "b/env.cue": "tasks: [",
      list: "a\nb\n",
    });
    const command = `"${process.execPath}" "${launcher}" inspect - < list`;
    const options = { cwd: sandbox.root, env: plainEnvironment(sandbox.home) };
    const { stdout, code } = await runProgram("sh", ["-c", command], options);
    expect(code).toBe(3);
    expect(stdout).toContain("build: src → dist");
    expect(stdout).toMatch(/error: b\/env\.cue:\d+/);
  });
});
