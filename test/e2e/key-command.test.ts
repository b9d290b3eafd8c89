import { mkdirSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue, type Sandbox } from "./sandbox.ts";

async function keyOf(
  sandbox: Sandbox,
  task: string,
  options: Parameters<Sandbox["cuenv"]>[1] & { args?: readonly string[] } = {},
): Promise<string> {
  const { args = [], ...rest } = options;
  const report = await runJson(sandbox, [task, ...args], rest);
  expect(report.code, report.stderr).toBe(0);
  const key = report.tasks[task]?.key;
  expect(key).toMatch(/^[0-9a-f]{64}$/);
  return key ?? "";
}

const base = { command: "true", args: ["a"], inputs: [], timeout: 60 };
/** Each differs from `base` in one thing. */
const different = {
  command: { ...base, command: "/bin/true" },
  args: { ...base, args: ["b"] },
  moreArgs: { ...base, args: ["a", ""] },
  joinedArgs: { ...base, args: ["a "] },
  outputs: { ...base, outputs: ["never-made"] },
  directory: { ...base, workingDir: "sub" },
  variable: { ...base, env: { X: "" } },
  component: { ...base, cacheConfig: { customKeyComponents: { x: "y" } } },
  epoch: { ...base, cacheConfig: { keyEpoch: 1 } },
  tool: { ...base, cacheConfig: { runtime: ["true"] } },
};
const same = {
  description: { ...base, description: "says something" },
  labels: { ...base, labels: ["x"] },
  mode: { ...base, cache: { mode: "read-write" } },
  retry: { ...base, retry: { attempts: 2 } },
  slashes: { ...base, workingDir: "sub/../" },
};

/** The keys of tasks, by name, all found in one run: a task's name is not in its key. */
async function keysOf(tasks: Readonly<Record<string, object>>): Promise<Record<string, unknown>> {
  const own = createSandbox({ "sub/x": "", "env.cue": cue({ tasks }) });
  const report = await runJson(own, ["*"]);
  expect(report.code, report.stderr).toBe(0);
  return Object.fromEntries(Object.values(report.tasks).map(({ name, key }) => [name, key]));
}

describe.concurrent("the command and the key", () => {
  it("row 25: each part of what a task runs moves the key", async () => {
    const keys = await keysOf({ base, ...different });
    expect(Object.values(keys)).not.toContain(null);
    expect(new Set(Object.values(keys)).size).toBe(1 + Object.keys(different).length);
  });

  it("row 25: what is only said about a task does not move the key", async () => {
    const { base: first, ...keys } = await keysOf({ base, ...same });
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(keys).toEqual(Object.fromEntries(Object.keys(same).map((name) => [name, first])));
  });

  it("row 25: a script, its shell and the shell's options are in the key", async () => {
    const keys = await keysOf({
      line: { command: "echo  x", inputs: [] },
      otherLine: { command: "echo  x;", inputs: [] },
      shell: { command: "echo  x", shell: "bash", inputs: [] },
      script: { script: "echo  x\n", inputs: [] },
      scriptShell: { script: "echo  x\n", scriptShell: "sh", inputs: [] },
      options: { script: "echo  x\n", shellOptions: { xtrace: true }, inputs: [] },
    });
    expect(new Set(Object.values(keys)).size).toBe(6);
  });

  it("row 25: a key is the same in other processes, locales, time zones, users and orders of fields", async () => {
    const own = createSandbox({ "a.txt": "1", "é.txt": "2", "Z.txt": "3", "z.txt": "4" });
    const fields = { command: "true", inputs: ["*.txt"], env: { B: "1", A: "2" } };
    own.write("env.cue", cue({ tasks: { t: fields } }));
    const first = await keyOf(own, "t");
    for (const env of [
      { LC_ALL: "C", LANG: "C" },
      { LC_ALL: "tr_TR.UTF-8", TZ: "Asia/Tokyo" },
      { USER: "other", HOME: own.path("../nowhere"), CUENV_CACHE_DIR: own.path("../second") },
    ])
      expect(await keyOf(own, "t", { env })).toBe(first);
    const turned = { env: { A: "2", B: "1" }, inputs: ["*.txt"], command: "true" };
    own.write("env.cue", cue({ tasks: { t: turned } }));
    expect(await keyOf(own, "t")).toBe(first);
  });

  it("row 24: a project has the same keys at another path, and shares the cache", async () => {
    const files = {
      "src/a.txt": "a",
      "env.cue": cue({
        tasks: {
          t: { command: "cat src/a.txt > out.txt; pwd", inputs: ["src"], outputs: ["out.txt"] },
        },
      }),
    };
    const one = createSandbox(files, { name: "a" });
    const two = createSandbox(files, { name: "b c/d", beside: one });
    expect(await statusOf(one, "t")).toBe("miss");
    expect(await statusOf(two, "t")).toBe("hit");
    expect(two.read("out.txt")).toBe("a");
  });

  it("row 24: the key has the project's place in the workspace in it", async () => {
    const file = cue({ tasks: { t: { command: "true", inputs: [] } } });
    const own = createSandbox({
      "pnpm-workspace.yaml": "packages: [a, b]\n",
      "a/env.cue": file,
      "b/env.cue": file,
    });
    const key = await keyOf(own, "t", { cwd: "a" });
    expect(await keyOf(own, "t", { cwd: "b" })).not.toBe(key);
    // Git makes no workspace: a copy without it has the same keys.
    mkdirSync(own.path(".git"));
    writeFileSync(own.path(".git/HEAD"), "ref: refs/heads/main\n");
    expect(await keyOf(own, "t", { cwd: "a" })).toBe(key);
  });
});

describe.concurrent("arguments and tools", () => {
  const project = createSandbox({
    "tool.sh": "echo version 1\n",
    "show.sh": 'for a in "$@"; do printf "[%s]" "$a"; done\n',
    "env.cue": cue({
      tasks: {
        line: { command: "sh show.sh fixed", cache: true, inputs: ["show.sh"] },
        argv: { command: "sh", args: ["show.sh", "fixed"], inputs: ["show.sh"] },
        script: { script: 'printf "<%s>" "$@"', inputs: [] },
        tooled: { ...counting("tooled"), inputs: [], cacheConfig: { runtime: ["sh tool.sh"] } },
        broken: {
          ...counting("broken"),
          inputs: [],
          cacheConfig: { runtime: ["no-such-tool -v"] },
        },
      },
    }),
  });
  beforeAll(() => project.cuenv(["task"]));

  const awkward = ["a b", "it's", "$HOME", "`id`", "", "--flag", "*", "é\n"];
  const shown = awkward.map((arg) => `[${arg}]`).join("");

  it.each(["line", "argv"])(
    "row 25: arguments after -- reach task %s as they are",
    async (task) => {
      const run = await project.cuenv(["task", task, "--", ...awkward]);
      expect(run).toMatchObject({ code: 0, stdout: `[fixed]${shown}` });
      expect(await statusOf(project, task, { args: ["--", ...awkward] })).toBe("hit");
      expect(await statusOf(project, task, { args: ["--", ...awkward.slice(1)] })).toBe("miss");
      expect(await statusOf(project, task, { args: ["--", "a", "b", ...awkward.slice(1)] })).toBe(
        "miss",
      );
    },
  );

  it("row 25: a script gets them as $1, $2 …", async () => {
    const run = await project.cuenv(["task", "script", "--", "a b", "$(id)"]);
    expect(run.stdout).toBe("<a b><$(id)>");
  });

  it("row 25: what a declared tool prints is in the key", async () => {
    expect(await statusOf(project, "tooled")).toBe("miss");
    expect(await statusOf(project, "tooled")).toBe("hit");
    const file = (version: string): string =>
      cue({
        config: { cache: { runtime: [`echo ${version}`] } },
        tasks: { t: { command: "true", inputs: [] } },
      });
    const own = createSandbox({ "env.cue": file("1") });
    const first = await keyOf(own, "t");
    own.write("env.cue", file("2"));
    expect(await keyOf(own, "t")).not.toBe(first);
  });

  it("row 25: a tool that fails makes the task run uncached, with one warning", async () => {
    for (let time = 1; time <= 2; time += 1) {
      const run = await project.cuenv(["task", "broken"]);
      expect(run.code).toBe(0);
      expect(run.stderr.match(/^warning: .*no-such-tool/gm)).toHaveLength(1);
      expect(project.count("../broken")).toBe(time);
    }
  });

  it("row 32: a miss says what changed, in a few words", async () => {
    const own = createSandbox({
      "src/a.txt": "1",
      "env.cue": cue({
        tasks: {
          t: { command: "true", inputs: ["src"], cacheConfig: { envInclude: ["LEVEL"] } },
        },
      }),
    });
    const reason = async (env = {}): Promise<string | null | undefined> =>
      (await runJson(own, ["t"], { env })).tasks["t"]?.cache.reason;
    expect(await reason()).toBe("no result stored yet");
    own.write("src/a.txt", "2");
    expect(await reason()).toMatch(/src\/a\.txt changed/);
    expect(await reason({ LEVEL: "1" })).toMatch(/LEVEL/);
    expect((await runJson(own, ["t", "--force"])).tasks["t"]?.cache.reason).toBe("forced");
    await own.cuenv(["cache", "clear"]);
    expect(await reason()).not.toBe("forced");
  });
});
