import { beforeAll, describe, expect, it } from "vitest";
import { cacheStatus, runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const project = createSandbox({
  "in.txt": "one\n",
  ".gitignore": "o1.txt\n",
  "env.cue": cue({
    tasks: {
      persistent: { ...counting("persistent", "cat in.txt"), inputs: ["in.txt"] },
      inputsOnly: { ...counting("inputsOnly"), inputs: ["in.txt"] },
      noInputs: { ...counting("noInputs"), inputs: [] },
      outputsOnly: { ...counting("outputsOnly", "echo a > o1.txt"), outputs: ["o1.txt"] },
      cacheTrue: { ...counting("cacheTrue"), cache: true },
      undeclared: counting("undeclared"),
      silent: { command: "true" },
      refused: { command: "true", inputs: ["in.txt"], cache: false },
      cacheFalse: { ...counting("cacheFalse"), inputs: ["in.txt"], cache: false },
      disabled: { ...counting("disabled"), inputs: ["in.txt"], cache: { enabled: false } },
      enabled: { ...counting("enabled"), cache: { enabled: true } },
      envOnly: {
        ...counting("envOnly"),
        inputs: ["in.txt"],
        cache: { env: { include: ["SEEN_*"], exclude: ["SEEN_NOT"] } },
      },
      never: { ...counting("never"), inputs: ["in.txt"], cache: { mode: "never" } },
      readOnly: { ...counting("readOnly"), inputs: ["in.txt"], cache: { mode: "read" } },
      aged: {
        ...counting("aged"),
        inputs: ["in.txt"],
        cache: { mode: "read-write", maxAge: "1h" },
      },
      old: { ...counting("old"), inputs: ["in.txt"], cache: { maxAge: "1ms" } },
      older: { ...counting("older"), inputs: [], cache_env: { include: ["OLDER"] } },
    },
  }),
});

async function twice(task: string): Promise<number> {
  for (let run = 0; run < 2; run += 1) {
    expect(await project.cuenv(["task", task])).toMatchObject({ code: 0 });
  }
  return project.count(`../${task}`);
}

// Evaluated once, not by each of the tests that run at once.
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("caching across processes", () => {
  it("row 1: a second process runs nothing, says so and exits with 0", async () => {
    expect(await project.cuenv(["task", "persistent"])).toMatchObject({ code: 0, stdout: "one\n" });
    const second = await project.cuenv(["task", "persistent"]);
    expect(second).toMatchObject({ code: 0, stdout: "one\n" });
    expect(second.stderr).toMatch(/persistent: hit/);
    expect(project.count("../persistent")).toBe(1);
  });

  it.each(["inputsOnly", "noInputs", "outputsOnly", "cacheTrue", "enabled", "aged"])(
    "row 2: task %s is cached, by what it declares or says",
    async (task) => {
      expect(await twice(task)).toBe(1);
    },
  );

  it.each(["cacheFalse", "disabled", "never", "undeclared"])(
    "row 2: task %s runs every time",
    async (task) => {
      expect(await twice(task)).toBe(2);
    },
  );

  it("row 2: -v says why a task is not cached", async () => {
    const undeclared = await project.cuenv(["task", "silent", "-v"]);
    expect(undeclared.stderr).toMatch(/not cached: it declares neither inputs nor outputs/);
    const told = await project.cuenv(["task", "refused", "-v"]);
    expect(told.stderr).toMatch(/not cached: the task says so/);
  });

  it("row 22: the object form of `cache` selects variables for the key", async () => {
    const env = { SEEN_A: "1", SEEN_NOT: "1", OTHER: "1" };
    expect(await statusOf(project, "envOnly", { env })).toBe("miss");
    expect(await statusOf(project, "envOnly", { env })).toBe("hit");
    expect(await statusOf(project, "envOnly", { env: { ...env, SEEN_NOT: "2", OTHER: "2" } })).toBe(
      "hit",
    );
    expect(await statusOf(project, "envOnly", { env: { ...env, SEEN_A: "2" } })).toBe("miss");
  });

  it("row 22: `cache_env` has effect, with one warning that it is deprecated", async () => {
    const first = await project.cuenv(["task", "older"], { env: { OLDER: "1" } });
    expect(first.stderr.match(/warning: .*cache_env/g)).toHaveLength(1);
    expect(await statusOf(project, "older", { env: { OLDER: "1" } })).toBe("hit");
    expect(await statusOf(project, "older", { env: { OLDER: "2" } })).toBe("miss");
  });

  it("row 30: a task's own mode narrows that of the run: read stores nothing", async () => {
    const first = await runJson(project, ["readOnly"]);
    expect(first.tasks["readOnly"]?.cache).toMatchObject({ status: "miss", stored: false });
    expect(await statusOf(project, "readOnly")).toBe("miss");
    expect(await statusOf(project, "readOnly", { env: { CUENV_CACHE: "write" } })).toBe("off");
  });

  it("row 22: a result older than `maxAge` is a miss with that reason", async () => {
    expect(await statusOf(project, "old")).toBe("miss");
    const second = await runJson(project, ["old"]);
    expect(second.tasks["old"]?.cache).toMatchObject({
      status: "miss",
      reason: "its result is too old",
    });
  });

  it("row 5: a project without any configuration caches below XDG_CACHE_HOME, then HOME", async () => {
    const plain = createSandbox({
      "env.cue": cue({ tasks: { t: { command: "true", inputs: [] } } }),
    });
    const env = { CUENV_CACHE_DIR: undefined, XDG_CACHE_HOME: plain.path("../xdg") };
    expect(await cacheStatus(plain, ["t"], { env })).toEqual({ t: "miss" });
    expect(plain.exists("../xdg/cuenv/CACHEDIR.TAG")).toBe(true);
    expect(plain.exists("../home/.cache")).toBe(false);
    expect(await cacheStatus(plain, ["t"], { env: { CUENV_CACHE_DIR: undefined } })).toEqual({
      t: "miss",
    });
    expect(plain.exists("../home/.cache/cuenv/CACHEDIR.TAG")).toBe(true);
    expect(plain.exists("../cache")).toBe(false);
  });
});
