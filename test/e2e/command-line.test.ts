import { beforeAll, describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue, launcher, plainEnvironment, runProgram } from "./sandbox.ts";

const project = createSandbox({
  "deep/er/x": "",
  "script.sh": "exit 5\n",
  "not-executable": "#!/bin/sh\n",
  "env.cue": cue({
    env: { SHARED: "of the project" },
    environment: { prod: { SHARED: "of production" } },
    tasks: {
      build: { ...counting("build", "echo built"), inputs: [], description: "Builds it" },
      forced: { ...counting("forced"), inputs: [] },
      dependent: { ...counting("dependent"), inputs: [], dependencies: ["forced"] },
      exits: { command: "exit 42" },
      absent: { command: "no-such-program", args: ["x"] },
      denied: { command: "./not-executable", args: ["x"] },
      lines: { command: "seq 1 200000" },
      parallelA: {
        command:
          "touch ../pa; for i in $(seq 600); do [ -e ../pb ] && exit 0; sleep 0.05; done; exit 1",
      },
      parallelB: {
        command:
          "touch ../pb; for i in $(seq 600); do [ -e ../pa ] && exit 0; sleep 0.05; done; exit 1",
      },
      serialA: { command: "mkdir ../lock && sleep 0.1 && rmdir ../lock" },
      serialB: { command: "mkdir ../lock && sleep 0.1 && rmdir ../lock" },
    },
  }),
});
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("cuenv task on the command line", () => {
  it("row 1: without a name it lists the tasks with what they are for, and runs none", async () => {
    const list = await project.cuenv(["task"]);
    expect(list).toMatchObject({ code: 0, stderr: "" });
    expect(list.stdout).toMatch(/^build +Builds it$/m);
    expect(list.stdout).toMatch(/^exits +exit 42$/m);
    const document = JSON.parse((await project.cuenv(["task", "--json"])).stdout) as {
      tasks: { name: string; cached: boolean }[];
    };
    expect(document.tasks).toHaveLength(11);
    expect(document.tasks[0]).toMatchObject({ name: "absent", cached: false });
    expect(project.count("../build")).toBeLessThan(3);
  });

  it("row 1: `run` and `t` are `task`; flags stand before and after the name; -C changes the folder", async () => {
    await project.cuenv(["task", "build"]);
    for (const args of [
      ["run", "build", "--json"],
      ["t", "--json", "build"],
      ["task", "--cache=read", "build", "--json"],
      ["task", "build", "--json", "-C", project.root],
      ["-C", project.path("deep/er"), "task", "build", "--json"],
    ]) {
      const cwd = args.includes("-C") ? ".." : "deep";
      const run = await project.cuenv(args, { cwd });
      expect(run.code, run.stderr).toBe(0);
      expect(JSON.parse(run.stdout)).toMatchObject({ summary: { hits: 1, misses: 0 } });
    }
  });

  it("row 32: --json is one document on stdout; the task's output goes to stderr", async () => {
    await project.cuenv(["task", "build"]);
    const run = await project.cuenv(["task", "build", "--json"]);
    expect(JSON.parse(run.stdout)).toStrictEqual({
      version: 1,
      tasks: [
        {
          name: "build",
          outcome: "succeeded",
          exitCode: 0,
          key: expect.stringMatching(/^[0-9a-f]{64}$/),
          cache: { status: "hit", tier: "disk", reason: null, stored: false },
          durationMs: expect.any(Number),
          savedMs: expect.any(Number),
          restoredFiles: 0,
          outputsLeft: false,
        },
      ],
      summary: {
        hits: 1,
        misses: 0,
        failed: 0,
        exitCode: 0,
        durationMs: expect.any(Number),
        savedMs: expect.any(Number),
      },
    });
    expect(run.stderr).toMatch(/^built$/m);
  });

  it("row 32: an error with --json is one document, too", async () => {
    const run = await project.cuenv(["task", "biuld", "--json"]);
    expect(run.code).toBe(2);
    expect(JSON.parse(run.stdout)).toMatchObject({
      version: 1,
      error: { code: "RUN_TASK_NOT_FOUND", hint: expect.stringContaining('"build"') },
    });
  });

  it("row 31: --force runs the named task and stores, but not what it depends on", async () => {
    await project.cuenv(["task", "dependent"]);
    const run = await runJson(project, ["dependent", "--force"]);
    expect(run.tasks["forced"]?.cache.status).toBe("hit");
    expect(run.tasks["dependent"]?.cache).toMatchObject({ status: "miss", stored: true });
    expect(project.count("../dependent")).toBe(2);
    expect(await statusOf(project, "dependent")).toBe("hit");
  });

  it("row 31: tasks run at once unless --jobs says otherwise", async () => {
    expect((await project.cuenv(["task", "parallel*", "--jobs", "2"])).code).toBe(0);
    expect((await project.cuenv(["task", "serial*", "--jobs", "1"])).code).toBe(0);
    for (const jobs of ["0", "-1", "many", "1.5"]) {
      expect((await project.cuenv(["task", "serial*", `--jobs=${jobs}`])).code).toBe(2);
    }
  });
});

describe.concurrent("exit codes", () => {
  it.each([
    ["a task's own", ["task", "exits"], 42, /^$/],
    ["126 for what cannot be executed", ["task", "denied"], 126, /^error: /],
    ["127 for what is not there", ["task", "absent"], 127, /^error: /],
    ["2 for an unknown task", ["task", "nonesuch"], 2, /^error: cannot /],
    ["2 for an unknown flag", ["task", "--nonesuch"], 2, /^error: cannot /],
    ["2 for an unknown command", ["tsak"], 2, /^error: cannot /],
    [
      "2 for arguments to a folder that is not there",
      ["-C", "/nonexistent", "task"],
      2,
      /^error: cannot /,
    ],
    ["2 for a mode that is none", ["task", "build", "--cache=on"], 2, /^error: cannot /],
    ["0 for help", ["task", "--help"], 0, /^$/],
    ["0 for the version", ["--version"], 0, /^$/],
  ] as const)("row 31: %s", async (_, args, code, stderr) => {
    const run = await project.cuenv(args);
    expect(run.code, run.stderr).toBe(code);
    expect(run.stderr).toMatch(stderr);
  });

  it("row 31: 3 for a configuration that is wrong, with file, line, column and the near name", async () => {
    const own = createSandbox({
      "env.cue": 'tasks: {\n\tbuild: {\n\t\tcomand: "true"\n\t}\n}\n',
    });
    const field = await own.cuenv(["task", "build"]);
    expect(field).toMatchObject({ code: 3, stdout: "" });
    expect(field.stderr).toMatch(/env\.cue:3:\d+: .*comand/);
    expect(field.stderr).toMatch(/command/);
    own.write("env.cue", 'tsaks: build: command: "true"\n');
    const top = await own.cuenv(["task", "build"]);
    expect(top.code).toBe(3);
    expect(top.stderr).toMatch(/env\.cue:1:\d+: .*tsaks[^]*tasks/);
    own.write("env.cue", 'tasks: build: {\n\tcommand: "true"\n\tcache: "yes"\n}\n');
    const type = await own.cuenv(["task", "build"]);
    expect(type.code).toBe(3);
    expect(type.stderr).toMatch(/env\.cue:3:\d+: .*cache/);
    own.write("env.cue", "tasks: build: {\n");
    const syntax = await own.cuenv(["task", "build"]);
    expect(syntax.code).toBe(3);
    expect(syntax.stderr).toMatch(/env\.cue:\d+:\d+: /);
  });

  it("row 31: 3 where there is no env.cue, saying how to make one", async () => {
    const own = createSandbox({});
    const run = await own.cuenv(["task"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/cannot find an env\.cue[^]*hint: /);
  });

  it("passes over no word behind --: without a task it is wrong usage, and for a command that passes nothing on a name", async () => {
    const unnamed = await project.cuenv(["task", "--", "build"]);
    expect([unnamed.code, unnamed.stdout]).toEqual([2, ""]);
    expect(unnamed.stderr).toMatch(/cannot give "build" to a task: none was named/);
    expect(await project.cuenv(["task", "--"])).toMatchObject({ code: 0 });
    const graph = await project.cuenv(["graph", "--", "exits"]);
    expect(graph).toMatchObject({ code: 0, stdout: "exits  not cached\n" });
    expect((await project.cuenv(["graph", "exits", "--", "absent"])).stdout).toMatch(
      /exits.*absent/s,
    );
    expect((await project.cuenv(["cache", "show", "--", "-x"])).stderr).toMatch(/"-x"/);
  });

  it.each([
    [["task", "biuld"], /did you mean "build"/i],
    [["task", "build", "--forse"], /did you mean --force/i],
    [["tsk", "build"], /did you mean "cuenv task"/i],
    [["cache", "cler"], /did you mean "cuenv cache clear"/i],
  ])("row 31: %j is told the near name", async (args, hint) => {
    const run = await project.cuenv(args);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(hint);
  });
});

describe.concurrent("cuenv exec", () => {
  it("row 41: runs a command with the project's variables, streams and exit code", async () => {
    const run = await project.cuenv([
      "exec",
      "--",
      "sh",
      "-c",
      'echo "$SHARED"; echo e >&2; exit 7',
    ]);
    expect(run).toMatchObject({ code: 7, stdout: "of the project\n", stderr: "e\n" });
    const other = await project.cuenv(["exec", "-e", "prod", "--", "printenv", "SHARED"]);
    expect(other.stdout).toBe("of production\n");
  });

  it("row 41: passes arguments as they are, and runs where it was called", async () => {
    const words = ["a b", "$HOME", "--json", "-e", ""];
    const run = await project.cuenv(["exec", "--", "printf", "[%s]", ...words], { cwd: "deep" });
    expect(run.stdout).toBe(words.map((word) => `[${word}]`).join(""));
    const where = await project.cuenv(["exec", "--", "pwd"], { cwd: "deep" });
    expect(where.stdout).toBe(`${project.path("deep")}\n`);
  });

  it("row 41: says 127, 126 and 2 as task does, and 128+n for a signal", async () => {
    expect((await project.cuenv(["exec", "--", "no-such-program"])).code).toBe(127);
    expect((await project.cuenv(["exec", "--", "./not-executable"])).code).toBe(126);
    expect((await project.cuenv(["exec"])).code).toBe(2);
    expect((await project.cuenv(["exec", "--", "sh", "-c", "kill -TERM $$"])).code).toBe(143);
  });
});

describe.concurrent("a task that runs alone and is ended by a signal", () => {
  it("says so, but not with the cache off", async () => {
    const own = createSandbox({
      "env.cue": cue({ tasks: { t: { command: "kill -9 $$", inputs: [], outputs: [] } } }),
    });
    const on = await own.cuenv(["task", "t"]);
    expect(on.code).toBe(137);
    expect(on.stderr).toContain("cuenv t: was ended by SIGKILL\n");
    const off = await own.cuenv(["task", "t"], { env: { CUENV_CACHE: "off" } });
    expect(off).toMatchObject({ code: 137, stdout: "", stderr: "" });
  });
});

describe.concurrent("terminals and pipes", () => {
  it("lets nothing that a project says steer the terminal, before one of its tasks was run", async () => {
    const hostile = "\u001B[2J\u009B1A\u202E";
    const own = createSandbox({
      "env.cue": cue({
        config: { cache: { cacheDir: `.c${hostile}` } },
        tasks: {
          described: { command: "true", description: `what ${hostile} it is` },
          scripted: { script: `: ${hostile}` },
          old: { command: "true", inputs: [], cache: { mode: "read" } },
          "turned\u202E": { command: "true" },
        },
      }),
      "wrong/env.cue": cue({ tasks: { t: { command: "true", inputs: [`${hostile}/../../x`] } } }),
      "named/env.cue": cue({ tasks: { [`t${hostile}`]: { command: "true" } } }),
      "script/package.json": JSON.stringify({ scripts: { [`a${hostile}`]: "cuenv task a" } }),
      [`folder${hostile}/env.cue`]: "tasks: [",
    });
    const printed: string[] = [];
    for (const args of [
      ["task"],
      ["cache", "config"],
      ["cache", "validate"],
      ["cache", "stats"],
      ["cache", "clear"],
      ["cache", "verify"],
      ["doctor"],
      ["__complete", "--", "task", "d"],
      ["-C", "wrong", "task"],
      ["-C", "wrong", "doctor"],
      ["-C", "wrong", "cache", "stats"],
      ["-C", "named", "task"],
      ["-C", "script", "init", "--from", "scripts"],
      ["-C", `folder${hostile}`, "task"],
    ]) {
      const env = { CUENV_CACHE_DIR: undefined };
      const run = await own.cuenv(args, { env });
      printed.push(run.stdout + run.stderr);
      expect(run.stdout + run.stderr, args.join(" ")).not.toMatch(/(?!\n|\t)[\p{Cc}\p{Cf}]/u);
    }
    expect(printed[0]).toContain("what \\u001b[2J\\u009b1A\\u202e it is");
  });

  it("row 46: FORCE_COLOR colours our own lines, NO_COLOR wins, and a pipe gets none", async () => {
    const escape = "\u001B[";
    const stderr = async (env: Record<string, string>): Promise<string> =>
      (await project.cuenv(["task", "build"], { env })).stderr;
    expect(await stderr({ FORCE_COLOR: "1" })).toContain(escape);
    expect(await stderr({ FORCE_COLOR: "1", NO_COLOR: "1" })).not.toContain(escape);
    expect(await stderr({})).not.toContain(escape);
  });

  it("row 46: a reader that goes away ends the run quietly", async () => {
    const line = `"${process.execPath}" "${launcher}" task lines | head -1; echo "\${PIPESTATUS[0]}"`;
    const env = { ...plainEnvironment(project.home), CUENV_CACHE_DIR: project.cacheDir };
    const run = await runProgram("bash", ["-c", line], { cwd: project.root, env });
    const [first, status] = run.stdout.split("\n");
    expect(first).toBe("1");
    expect(["0", "141"]).toContain(status);
    expect(run.stderr).not.toMatch(/EPIPE|error|at /);
    const list = line.replace("task lines", "task");
    const listed = await runProgram("bash", ["-c", list], { cwd: project.root, env });
    expect(listed.stderr).toBe("");
  });
});
