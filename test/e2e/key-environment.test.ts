import { beforeAll, describe, expect, it } from "vitest";
import { statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const print = "env | grep -v '^_=' | cut -d= -f1 | sort";
const project = createSandbox({
  "env.cue": cue({
    env: { SHARED: "for-all" },
    config: { cache: { envInclude: ["GLOBAL_*"], envExclude: ["*_TOKEN"] } },
    tasks: {
      plain: { ...counting("plain"), inputs: [] },
      includes: {
        ...counting("includes"),
        inputs: [],
        cacheConfig: { envInclude: ["CI_*", "A?B", "[X]"], envExclude: ["CI_RUN_*"] },
      },
      snake: {
        ...counting("snake"),
        inputs: [],
        cache_config: { env_include: ["SNAKE_*"], env_exclude: ["SNAKE_NOT"] },
      },
      sees: { command: print, inputs: [], cacheConfig: { envInclude: ["WANTED"] } },
      loose: { command: print, inputs: [], cacheConfig: { envMode: "loose" } },
      own: { command: "echo $SHARED $OWN", inputs: [], env: { OWN: "a b" } },
    },
  }),
});

async function moves(
  task: string,
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  await statusOf(project, task, { env: before });
  expect(await statusOf(project, task, { env: before })).toBe("hit");
  return statusOf(project, task, { env: after });
}

// Evaluated once, not by each of the tests that run at once.
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("the environment and the key", () => {
  it("row 24: a PATH that is in the key is the one that cuenv was given, without the folders of this checkout", async () => {
    const cacheConfig = { envInclude: ["PATH"] };
    const text = cue({ tasks: { t: { command: "true", inputs: [], outputs: [], cacheConfig } } });
    const keys = [];
    for (const env of [{}, {}, { PATH: `${process.env["PATH"]}:/nowhere` }]) {
      const run = await createSandbox({ "env.cue": text }).cuenv(["cache", "key", "t"], { env });
      keys.push(run.stdout.split("\n")[0]);
    }
    expect(keys[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  it("row 3: a result that was made in sight of everything is not one of those that see what is declared", async () => {
    const command = 'echo "${MADE_OF:-nothing}" > out';
    const made = (envMode: string) =>
      cue({ tasks: { made: { command, inputs: [], outputs: ["out"], cacheConfig: { envMode } } } });
    const sandbox = createSandbox({ "env.cue": made("loose") });
    const runs = [];
    for (const envMode of ["loose", "strict", "loose", "strict"]) {
      sandbox.write("env.cue", made(envMode));
      runs.push([await statusOf(sandbox, "made", { env: { MADE_OF: "x" } }), sandbox.read("out")]);
    }
    const statuses = [
      ["miss", "x\n"],
      ["miss", "nothing\n"],
      ["hit", "x\n"],
      ["hit", "nothing\n"],
    ];
    expect(runs).toEqual(statuses);
  });

  it("row 3: variables that nobody declared do not move the key", async () => {
    // The machine's key is found below it: with another one the key of the task is the same, and its result not trusted.
    const XDG_STATE_HOME = project.path("../state");
    const host = { TERM: "xterm", SHLVL: "1", GITHUB_RUN_ID: "1", CI: "1" };
    const before = { RANDOM_X: "1", ...host, XDG_STATE_HOME };
    const after = {
      XDG_STATE_HOME,
      RANDOM_X: "2",
      TERM: "dumb",
      SHLVL: "2",
      GITHUB_RUN_ID: "2",
      CI: "",
      HOME: project.path("../cache"),
      TMPDIR: project.path(".."),
      USER: "somebody",
      LANG: "C.UTF-8",
      LC_ALL: "C",
    };
    expect(await moves("plain", before, after)).toBe("hit");
  });

  it("row 10: a variable that a pattern includes moves the key, and being unset is a value of its own", async () => {
    const env = { CI_ID: "1", AxB: "1" };
    expect(await moves("includes", env, { ...env, CI_ID: "2" })).toBe("miss");
    expect(await statusOf(project, "includes", { env: { ...env, AxB: "2" } })).toBe("miss");
    expect(await statusOf(project, "includes", { env: { AxB: "1" } })).toBe("miss");
    expect(await statusOf(project, "includes", { env: { CI_ID: "", AxB: "1" } })).toBe("miss");
    expect(await statusOf(project, "includes", { env })).toBe("hit");
  });

  it("row 10: exclude wins over include; `?` is one letter, `[` itself, and case counts", async () => {
    const env = { CI_NAME: "n" };
    const after = { ...env, CI_RUN_ID: "2", AB: "1", AxxB: "1", X: "1", ci_name: "x" };
    expect(await moves("includes", env, after)).toBe("hit");
  });

  it("row 10: a task's list replaces the global one, which holds elsewhere", async () => {
    const env = { GLOBAL_A: "1", GLOBAL_TOKEN: "1" };
    expect(await moves("plain", env, { ...env, GLOBAL_A: "2" })).toBe("miss");
    expect(await moves("plain", env, { ...env, GLOBAL_TOKEN: "2" })).toBe("hit");
    expect(await moves("snake", env, { ...env, GLOBAL_A: "2" })).toBe("hit");
  });

  it("row 19: cacheConfig is read in snake case too", async () => {
    const env = { SNAKE_A: "1", SNAKE_NOT: "1" };
    expect(await moves("snake", env, { ...env, SNAKE_NOT: "2" })).toBe("hit");
    expect(await moves("snake", env, { ...env, SNAKE_A: "2" })).toBe("miss");
  });

  it("row 3: a cached task sees declared variables and the pass-through list only", async () => {
    const env = { WANTED: "1", UNDECLARED: "1", NODE_OPTIONS: "", LANG: "C" };
    const { stdout } = await project.cuenv(["task", "sees"], { env });
    const seen = stdout.trim().split("\n");
    expect(seen).toEqual(expect.arrayContaining(["HOME", "LANG", "PATH", "SHARED", "WANTED"]));
    const known = new Set([
      "HOME",
      "LANG",
      "PATH",
      "PWD",
      "OLDPWD",
      "SHARED",
      "SHLVL",
      "TMPDIR",
      "WANTED",
    ]);
    expect(seen.filter((name) => !known.has(name))).toEqual([]);
  });

  it('row 3: `envMode: "loose"` shows a cached task everything, and keeps it out of the key', async () => {
    const first = await project.cuenv(["task", "loose"], { env: { UNDECLARED: "1" } });
    expect(first.stdout).toMatch(/^UNDECLARED$/m);
    expect(await statusOf(project, "loose", { env: { UNDECLARED: "2" } })).toBe("hit");
  });

  it("row 3: variables of the project and of the task reach it and are in the key", async () => {
    expect((await project.cuenv(["task", "own"])).stdout).toBe("for-all a b\n");
    const text = (shared: string, own: string): string =>
      cue({
        env: { SHARED: shared },
        tasks: { own: { command: "echo $SHARED $OWN", inputs: [], env: { OWN: own } } },
      });
    const other = createSandbox({ "env.cue": text("a", "b") });
    expect(await statusOf(other, "own")).toBe("miss");
    other.write("env.cue", text("a", "c"));
    expect(await statusOf(other, "own")).toBe("miss");
    other.write("env.cue", text("c", "b"));
    expect(await statusOf(other, "own")).toBe("miss");
    other.write("env.cue", text("a", "b"));
    expect(await statusOf(other, "own")).toBe("hit");
  });

  it("row 3: -e and CUENV_ENV choose overrides; an unknown one is an error with the near name", async () => {
    const own = createSandbox({
      "env.cue": cue({
        env: { LEVEL: "info" },
        environment: { production: { LEVEL: "error" } },
        tasks: { t: { command: "echo $LEVEL", inputs: [] } },
      }),
    });
    expect((await own.cuenv(["task", "t"])).stdout).toBe("info\n");
    expect((await own.cuenv(["task", "t", "-e", "production"])).stdout).toBe("error\n");
    expect((await own.cuenv(["task", "t"], { env: { CUENV_ENV: "production" } })).stdout).toBe(
      "error\n",
    );
    expect((await own.cuenv(["task", "t"])).stdout).toBe("info\n");
    // As a CI system gives it that has nothing to say.
    expect((await own.cuenv(["task", "t"], { env: { CUENV_ENV: "" } })).stdout).toBe("info\n");
    const wrong = await own.cuenv(["task", "t", "-e", "prodution"]);
    expect(wrong).toMatchObject({ code: 3, stdout: "" });
    expect(wrong.stderr).toContain("production");
  });
});
