import { existsSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue, plainEnvironment, runProgram } from "./sandbox.ts";

const script = "printf 'out\\n\\000\\377'; printf 'err\\n' >&2; exit 3";
const files = {
  "in.txt": "one\n",
  "env.cue": cue({
    tasks: {
      t: { ...counting("t"), inputs: ["in.txt"] },
      loud: { command: script, inputs: ["in.txt"] },
      killed: { command: "echo before; kill -TERM $$", inputs: ["in.txt"] },
      named: { command: "env | sort", cache: true },
      switched: { command: "true", inputs: [] },
    },
  }),
};
const project = createSandbox(files);

interface Row {
  readonly mode: string;
  readonly stored: boolean;
  readonly executes: boolean;
  readonly writes: boolean;
}

/** What each mode does where an entry exists, and where none does. */
const table: readonly Row[] = [
  { mode: "off", stored: false, executes: true, writes: false },
  { mode: "off", stored: true, executes: true, writes: false },
  { mode: "read", stored: false, executes: true, writes: false },
  { mode: "read", stored: true, executes: false, writes: false },
  { mode: "read-write", stored: false, executes: true, writes: true },
  { mode: "read-write", stored: true, executes: false, writes: false },
  { mode: "write", stored: false, executes: true, writes: true },
  { mode: "write", stored: true, executes: true, writes: true },
];

// Evaluated once, not by each of the tests that run at once.
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("cache modes", () => {
  it("row 7: each mode executes and writes as the table says, with an entry and without", async () => {
    for (const [number, { mode, stored, executes, writes }] of table.entries()) {
      const label = `${mode}, ${stored ? "an entry" : "no entry"}`;
      const env = { CUENV_CACHE_NAMESPACE: `row${number}` };
      if (stored) await project.cuenv(["task", "t"], { env });
      const before = project.count("../t");
      const run = await runJson(project, ["t"], { env: { ...env, CUENV_CACHE: mode } });
      expect(run.code, label).toBe(0);
      expect(project.count("../t") - before, label).toBe(executes ? 1 : 0);
      expect(run.tasks["t"]?.cache.stored, label).toBe(writes);
      const after = await runJson(project, ["t"], { env });
      expect(after.tasks["t"]?.cache.status, label).toBe(stored || writes ? "hit" : "miss");
    }
  });

  it.each(["OFF", "Read", "READ-WRITE", "wRiTe"])(
    "row 7: mode %s is read in any letter case",
    async (mode) => {
      expect(await project.cuenv(["task", "switched", "--cache", mode])).toMatchObject({ code: 0 });
    },
  );

  it.each([
    ["--cache", 2, ["--cache", "on"], {}],
    ["CUENV_CACHE", 3, [], { CUENV_CACHE: "readwrite" }],
  ])("row 7: junk in %s is an error that lists the four modes", async (where, code, flags, env) => {
    const run = await project.cuenv(["task", "switched", ...flags], { env });
    expect(run).toMatchObject({ code, stdout: "" });
    expect(run.stderr).toContain(where);
    expect(run.stderr).toMatch(/off, read, read-write, write/);
  });

  it("row 7: the flag beats the variable, which beats the file", async () => {
    const own = createSandbox({
      "env.cue": cue({
        config: { cache: { defaultMode: "off" } },
        tasks: { t: { command: "true", inputs: [] } },
      }),
    });
    expect(await statusOf(own, "t")).toBe("off");
    const env = { CUENV_CACHE: "read-write" };
    expect(await statusOf(own, "t", { env })).toBe("miss");
    expect(await statusOf(own, "t", { env })).toBe("hit");
    expect(await statusOf(own, "t", { env, args: ["--cache", "off"] })).toBe("off");
    expect(
      await statusOf(own, "t", { env: { CUENV_CACHE: "off" }, args: ["--cache", "read"] }),
    ).toBe("hit");
  });

  it("row 30: `enabled: false` for all beats a task's `cache: true`", async () => {
    const own = createSandbox({
      "env.cue": cue({
        config: { cache: { enabled: false } },
        tasks: { t: { command: "true", cache: true } },
      }),
    });
    expect(await statusOf(own, "t")).toBe("off");
    expect(existsSync(own.cacheDir)).toBe(false);
  });

  it("row 7: mode read, and looking at the cache, change nothing in its folder, however old what is remembered", async () => {
    const own = createSandbox(files);
    const state = (): string[] =>
      readdirSync(own.cacheDir, { recursive: true, withFileTypes: true })
        .map((entry) => join(entry.parentPath, entry.name))
        .map((path) => `${path} ${lstatSync(path).ino} ${lstatSync(path).mtimeMs}`)
        .toSorted();
    expect(await own.cuenv(["task", "t"])).toMatchObject({ code: 0 });
    const before = state();
    // What is remembered of env.cue was too young to be trusted by its stat; a run that may write renews it now.
    await setTimeout(3_000);
    const read = await own.cuenv(["task", "t"], { env: { CUENV_CACHE: "read" } });
    expect(read.stderr).toMatch(/hit/);
    for (const command of ["stats", "verify"])
      expect(await own.cuenv(["cache", command])).toMatchObject({ code: 0 });
    expect(state()).toEqual(before);
    expect(await own.cuenv(["task", "t"])).toMatchObject({ code: 0 });
    expect(state()).not.toEqual(before);
  });
});

describe.concurrent("the cache turned off", () => {
  const off = createSandbox(files);

  it("row 41: a task gives the bytes and the exit code of a plain shell, and nothing else", async () => {
    const env = { CUENV_CACHE: "off" };
    const shell = await runProgram("sh", ["-c", script], {
      cwd: off.root,
      env: plainEnvironment(off.home),
    });
    expect(await off.cuenv(["task", "loud"], { env })).toStrictEqual(shell);
    expect(await off.cuenv(["task", "loud", "--cache", "off"])).toStrictEqual(shell);
  });

  it("row 41: what of the task is not honoured is named as in every mode, what of the cache is not named", async () => {
    const own = createSandbox({
      "env.cue": cue({
        hooks: { onEnter: { command: "true" } },
        config: { cache: { inlineThreshold: 1024 } },
        tasks: {
          t: {
            command: "echo out; echo err >&2; exit 3",
            inputs: [],
            cacheConfig: { maxSize: "1GB" },
          },
        },
      }),
    });
    const cached = await own.cuenv(["task", "t"]);
    const named = (cached.stderr.match(/^warning: .*$/gm) ?? []).map((line) => `${line}\n`);
    expect(named).toHaveLength(3);
    const [hooks = "", ...others] = named.toSorted(
      (left, right) => Number(right.includes("hooks")) - Number(left.includes("hooks")),
    );
    expect([hooks.includes("hooks"), others.join("").includes("inlineThreshold")]).toEqual([
      true,
      true,
    ]);
    for (const env of [{ CUENV_CACHE: "off" }, { CUENV_CACHE_ENABLED: "false" }])
      expect(await own.cuenv(["task", "t"], { env })).toMatchObject({
        code: 3,
        stdout: "out\n",
        stderr: `${hooks}err\n`,
      });
  });

  it("row 41: a task that a signal ended has the exit code of a shell's", async () => {
    const run = await off.cuenv(["task", "killed"], { env: { CUENV_CACHE: "off" } });
    expect(run).toMatchObject({ code: 143, stdout: "before\n", stderr: "" });
  });

  it("row 41: a task sees all of our environment", async () => {
    const run = await off.cuenv(["task", "named"], { env: { CUENV_CACHE: "off", ANY_THING: "x" } });
    expect(run.stdout).toMatch(/^ANY_THING=x$/m);
  });

  it("row 41: nothing is made in the cache folder, the home or the project", async () => {
    const own = createSandbox(files);
    await own.cuenv(["task", "switched", "loud"], { env: { CUENV_CACHE: "off" } });
    await own.cuenv(["task", "switched", "--cache", "off"], {
      env: { CUENV_CACHE_DIR: undefined },
    });
    expect(existsSync(own.cacheDir)).toBe(false);
    expect(own.exists("../home/.cache")).toBe(false);
    expect(own.exists(".cuenv")).toBe(false);
  });
});
