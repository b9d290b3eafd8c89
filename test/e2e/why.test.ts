import { execFileSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { statusOf } from "./run-json.ts";
import { counting, createSandbox, cue, type RunOptions, type Sandbox } from "./sandbox.ts";

const test = {
  ...counting("test", "cat gen/* > report.txt"),
  inputs: ["test/**"],
  outputs: ["report.txt"],
  dependencies: ["gen"],
  env: { LEVEL: "1" },
  cacheConfig: { envInclude: ["CI_*", "LEVEL"], runtime: ["./tool"] },
};
const gen = {
  ...counting("gen", "mkdir -p gen && cat src/* > gen/out.txt"),
  inputs: ["src/**"],
  outputs: ["gen"],
};
const config = (changed: object = {}, others: object = {}): string =>
  cue({ tasks: { gen, test: { ...test, ...changed }, loose: { command: "true" }, ...others } });
const files = {
  "src/a.txt": "a",
  "test/one.txt": "1",
  "test/two.txt": "2",
  "env.cue": config(),
};

type Change = (sandbox: Sandbox) => RunOptions;

function writes(path: string, text: string): Change {
  return (sandbox) => {
    sandbox.write(path, text);
    return {};
  };
}

function removes(path: string): Change {
  return (sandbox) => {
    sandbox.remove(path);
    return {};
  };
}

/** A program that says its version. */
function tool(version: string): Change {
  return (sandbox) => {
    sandbox.write("tool", `#!/bin/sh\necho ${version}\n`);
    chmodSync(sandbox.path("tool"), 0o755);
    return {};
  };
}

function newProject(): Sandbox {
  const sandbox = createSandbox(files);
  tool("v1")(sandbox);
  return sandbox;
}

interface Why {
  readonly outcome: string;
  readonly key: string | null;
  readonly text: string;
  readonly causes: readonly { kind: string; name: string; before?: string; after?: string }[];
  readonly dependency: { task: string; text: string; causes: readonly { kind: string }[] } | null;
  readonly result: { provenance: Record<string, string>; durationMs: number } | null;
}

async function why(sandbox: Sandbox, task: string, options: RunOptions = {}): Promise<Why> {
  const run = await sandbox.cuenv(["why", task, "--json"], options);
  expect(run.code, run.stderr).toBe(0);
  const document = JSON.parse(run.stdout) as Why & { version: number; task: string };
  expect(document).toMatchObject({ version: 1, task });
  return document;
}

describe("cuenv why", () => {
  let project: Sandbox;
  beforeEach(async () => {
    project = newProject();
    await project.cuenv(["task", "test"]);
  });

  it.each<[string, string, string, Change]>([
    ["a changed file", "file", "test/one.txt", writes("test/one.txt", "other")],
    ["a new file", "file", "test/three.txt", writes("test/three.txt", "3")],
    ["a removed file", "file", "test/two.txt", removes("test/two.txt")],
    ["a variable of the environment", "variable", "CI_RUN", () => ({ env: { CI_RUN: "7" } })],
    [
      "a variable of the task",
      "variable",
      "LEVEL",
      writes("env.cue", config({ env: { LEVEL: "2" } })),
    ],
    [
      "the command",
      "command",
      "",
      writes("env.cue", config(counting("test", "cat gen/* gen/* > report.txt"))),
    ],
    ["a tool", "tool", "./tool", tool("v2")],
    [
      "the declared outputs",
      "outputs",
      "more.txt",
      writes("env.cue", config({ outputs: ["report.txt", "more.txt"] })),
    ],
    [
      "a component of the key",
      "customComponent",
      "flavour",
      writes(
        "env.cue",
        config({ cacheConfig: { ...test.cacheConfig, customKeyComponents: { flavour: "x" } } }),
      ),
    ],
    ["the timeout", "timeout", "timeout", writes("env.cue", config({ timeout: "9s" }))],
  ])("names %s as the cause, first", async (_, kind, name, change) => {
    const options = change(project);
    const told = await why(project, "test", options);
    expect(told.outcome).toBe("miss");
    expect(told.causes[0]).toMatchObject(name === "" ? { kind } : { kind, name });
    const { stdout } = await project.cuenv(["why", "test"], options);
    expect(stdout.split("\n")[0]).toBe(told.text);
    expect(await statusOf(project, "test", options)).toBe("miss");
  });

  it("runs nothing and stores nothing", async () => {
    project.write("test/one.txt", "other");
    await why(project, "test");
    expect((await project.cuenv(["task", "test", "--dry-run"])).code).toBe(0);
    expect(project.count("../test")).toBe(1);
    expect((await why(project, "test")).outcome).toBe("miss");
  });

  it("says that a dependency would run first, and why", async () => {
    project.write("src/a.txt", "b");
    const told = await why(project, "test");
    expect(told).toMatchObject({ outcome: "unknown", key: null });
    expect(told.dependency).toMatchObject({ task: "gen", text: "src/a.txt changed" });
    const { stdout } = await project.cuenv(["why", "test"]);
    expect(stdout).toMatch(/^gen would run first: src\/a\.txt changed\n/);
  });

  it("names a changed output of a dependency once that ran", async () => {
    project.write("src/a.txt", "b");
    await project.cuenv(["task", "gen"]);
    const told = await why(project, "test");
    expect(told.causes[0]).toMatchObject({ kind: "dependencyOutput", name: "gen/out.txt" });
  });

  it("counts as there what a hit of a dependency's dependency would put in place", async () => {
    const report = {
      ...counting("report", "cat gen/* report.txt > all.txt"),
      inputs: ["gen/**"],
      outputs: ["all.txt"],
      dependencies: ["test"],
    };
    project.write("env.cue", config({}, { report }));
    await project.cuenv(["task", "report"]);
    project.write("src/a.txt", "b");
    await project.cuenv(["task", "report"]);
    project.write("src/a.txt", "a");
    for (const path of ["gen", "report.txt"]) project.remove(path);
    for (const outcome of ["hit", "miss"]) {
      expect((await why(project, "report")).outcome).toBe(outcome);
      expect(await statusOf(project, "report")).toBe(outcome);
      project.write("env.cue", config({}, { report: { ...report, env: { NEW: "1" } } }));
    }
  });

  it("counts the outputs of a hit as cuenv verify does", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          t: {
            command: "mkdir -p o/p && echo 1 > o/p/f && ln -s p o/l",
            inputs: [],
            outputs: ["o"],
          },
        },
      }),
    });
    await own.cuenv(["task", "t"]);
    expect((await own.cuenv(["why", "t"])).stdout).toMatch(/^  outputs   2, 2 B$/m);
    expect((await own.cuenv(["verify", "t"])).stdout).toContain("2 outputs");
  });

  it("says of a hit when, where, by whom and of which commit it was made, and what had changed then", async () => {
    const git = (...args: readonly string[]): string =>
      execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], {
        cwd: project.root,
        encoding: "utf8",
        stdio: "pipe",
      }).trim();
    git("init", "-q");
    git("add", ".");
    git("commit", "-qm", "first");
    project.write("test/one.txt", "other");
    await project.cuenv(["task", "test"]);
    const told = await why(project, "test");
    expect(told).toMatchObject({
      outcome: "hit",
      causes: [{ kind: "file", name: "test/one.txt" }],
    });
    expect(told.result?.provenance).toMatchObject({
      commit: git("rev-parse", "HEAD"),
      host: expect.any(String),
      user: expect.any(String),
    });
    const { stdout } = await project.cuenv(["why", "test"]);
    expect(stdout).toMatch(/^hit: test has a stored result, made \d{4}-.* by .*@.*\n/);
    expect(stdout).toContain("test/one.txt");
  });

  it("says of a hit that was made first what differs from what was made later, and not that it came after that", async () => {
    project.write("test/one.txt", "later");
    await project.cuenv(["task", "test"]);
    project.write("test/one.txt", "1");
    const { stdout } = await project.cuenv(["why", "test"]);
    expect(stdout).toMatch(/^hit: /);
    expect(stdout).toMatch(
      /\nwhat differs from the last other result here:\n +file +test\/one\.txt /,
    );
  });

  it("does not say that nothing is stored where a result is too old, or not looked for", async () => {
    const old = createSandbox({
      "env.cue": cue({
        tasks: { a: { ...counting("a"), inputs: [], outputs: [], cache: { maxAge: "1ms" } } },
      }),
    });
    await old.cuenv(["task", "a"]);
    for (const [env, reason] of [
      [{}, /^its result is too old/],
      [{ CUENV_CACHE: "write" }, /^the cache is not read/],
    ] as const) {
      const { stdout } = await old.cuenv(["why", "a"], { env });
      expect(stdout).toMatch(reason);
      expect(stdout).toMatch(/^a would run: its key is [0-9a-f]{12}$/m);
    }
  });

  it("says that no result is stored yet, not cached, and what is wrong with a name", async () => {
    const fresh = newProject();
    expect(await why(fresh, "gen")).toMatchObject({
      outcome: "miss",
      text: "no result stored yet",
    });
    expect((await project.cuenv(["why", "loose"])).stdout).toBe(
      "loose is not cached, and runs each time: it declares neither inputs nor outputs\n",
    );
    for (const env of [{ CUENV_CACHE: "off" }, { CUENV_CACHE_ENABLED: "false" }]) {
      expect((await project.cuenv(["why", "gen"], { env })).stdout).toBe(
        "gen is not cached, and runs each time: the cache is off\n",
      );
    }
    expect((await project.cuenv(["verify", "loose"])).stderr).toContain(
      "it is not cached: it declares neither inputs nor outputs",
    );
    expect((await project.cuenv(["why"])).code).toBe(2);
    expect((await project.cuenv(["why", "tset"])).stderr).toMatch(/test/);
  });

  it("shows no value of a secret", async () => {
    const secret = { resolver: { command: "sh", args: ["-c", "cat ../secret"] } };
    const sandbox = createSandbox({
      "../secret": "c4n4ry-one\n",
      "env.cue": cue({ tasks: { t: { command: "true", inputs: [], env: { TOKEN: secret } } } }),
    });
    await sandbox.cuenv(["task", "t"]);
    sandbox.write("../secret", "c4n4ry-two\n");
    const runs = [
      await sandbox.cuenv(["why", "t", "--json"]),
      await sandbox.cuenv(["cache", "key", "t", "--json"]),
    ];
    expect(JSON.parse(runs[0]?.stdout ?? "")).toMatchObject({ causes: [{ name: "TOKEN" }] });
    for (const { stdout, stderr } of runs) expect(stdout + stderr).not.toContain("c4n4ry");
  });
});

describe("cuenv cache key", () => {
  it("gives the key of the next run, and every file, variable and tool that it is made of", async () => {
    const project = newProject();
    await project.cuenv(["task", "gen"]);
    const run = await project.cuenv(["cache", "key", "test", "--json"]);
    const { key, components } = JSON.parse(run.stdout) as {
      key: string;
      components: readonly { kind: string; name: string; value: string }[];
    };
    const names = (kind: string) => components.flatMap((c) => (c.kind === kind ? [c.name] : []));
    expect(names("file")).toEqual(["test/one.txt", "test/two.txt"]);
    expect(names("dependencyOutput")).toEqual(["gen", "gen/out.txt"]);
    expect(names("variable")).toContain("LEVEL");
    expect(names("tool")).toEqual(["./tool"]);
    const ran = await project.cuenv(["task", "test", "--json"]);
    expect(JSON.parse(ran.stdout).tasks.at(-1)).toMatchObject({ name: "test", key });
    expect((await project.cuenv(["cache", "key", "test"])).stdout.split("\n")[0]).toBe(key);
  });

  it("says why there is none", async () => {
    const run = await newProject().cuenv(["cache", "key", "loose"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/cannot say the key of loose: not cached/);
  });
});

describe("cuenv task --dry-run", () => {
  it("says of every task what a run would find, in the shape of a run", async () => {
    const project = newProject();
    await project.cuenv(["task", "gen"]);
    const run = await project.cuenv(["task", "test", "loose", "--dry-run", "--json"]);
    const { tasks, summary } = JSON.parse(run.stdout) as {
      tasks: readonly { name: string; cache: { status: string } }[];
      summary: object;
    };
    const found = Object.fromEntries(tasks.map(({ name, cache }) => [name, cache.status]));
    expect(found).toEqual({ gen: "hit", test: "miss", loose: "off" });
    expect(summary).toMatchObject({ hits: 1, misses: 1, exitCode: 0 });
    expect(project.count("../test")).toBe(0);
  });

  it("foretells nothing of a step that reads what an earlier step of its sequence would make anew", async () => {
    const project = createSandbox({
      x: "1",
      "env.cue": `tasks: {
        make: {command: "mkdir -p out; cat x > out/x", inputs: ["x"], outputs: ["out/x"]}
        between: {command: "true", inputs: []}
        read: {command: "cat out/x", inputs: ["out/*"], outputs: []}
        glance: {command: "ls", inputs: ["**/x", "!x"], outputs: []}
        aside: {command: "true", inputs: ["env.cue"], outputs: []}
        steps: [make, between, read, glance, aside]
      }`,
    });
    const steps = async (...more: string[]): Promise<Readonly<Record<string, string>>> => {
      const run = await project.cuenv(["task", "steps", "--json", ...more]);
      const { tasks } = JSON.parse(run.stdout) as {
        tasks: readonly { name: string; cache: { status: string } }[];
      };
      return Object.fromEntries(tasks.map(({ name, cache }) => [name, cache.status]));
    };
    await steps();
    project.write("x", "2");
    const known = { make: "miss", between: "hit", aside: "hit" };
    expect(await steps("--dry-run")).toEqual({ ...known, read: "unknown", glance: "unknown" });
    expect(await steps()).toEqual({ ...known, read: "miss", glance: "miss" });
    project.remove("out");
    const hits = { make: "hit", between: "hit", read: "hit", glance: "hit", aside: "hit" };
    expect(await steps("--dry-run")).toEqual(hits);
    expect(await steps()).toEqual(hits);
  });
});

describe("cuenv cache show and diff", () => {
  it("show stored results by the first digits of their keys, and what two of them differ in", async () => {
    const project = newProject();
    const key = async (): Promise<string> => {
      const run = await project.cuenv(["task", "gen", "--json"]);
      return (JSON.parse(run.stdout) as { tasks: { key: string }[] }).tasks[0]?.key ?? "";
    };
    const before = await key();
    project.write("src/a.txt", "b");
    const after = await key();
    const shown = await project.cuenv(["cache", "show", before.slice(0, 10), "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({ version: 1, key: before, task: "gen" });
    expect((await project.cuenv(["cache", "show", after])).stdout).toMatch(
      /^output +gen\/out.txt/m,
    );
    const diff = await project.cuenv(["cache", "diff", before, after, "--json"]);
    expect(JSON.parse(diff.stdout)).toMatchObject({
      before,
      after,
      causes: [{ kind: "file", name: "src/a.txt" }],
    });
    expect((await project.cuenv(["cache", "diff", before, before])).stdout).toBe(
      "nothing differs\n",
    );
  });

  it("say what is wrong with a key", async () => {
    const project = newProject();
    await project.cuenv(["task", "gen"]);
    for (const [args, message] of [
      [["show", "xyz"], /it is no key/],
      [["show", "00000000"], /there is no result under it in \/.*\nhint: .*task NAME -v/],
      [["show", "0".repeat(64)], /there is no result under it in \/.*\nhint: .*task NAME -v/],
      [["diff", "00000000"], /two keys are needed/],
    ] as const) {
      const run = await project.cuenv(["cache", ...args]);
      expect(run).toMatchObject({ code: 2, stdout: "" });
      expect(run.stderr).toMatch(message);
    }
  });
});
