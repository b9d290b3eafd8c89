import { describe, expect, it } from "vitest";
import { runJson, statusOf } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const tasks = {
  gen: { ...counting("gen", "mkdir -p gen && cp src/a gen/a"), inputs: ["src"], outputs: ["gen"] },
  lint: { ...counting("lint"), inputs: ["rules"] },
  build: {
    ...counting("build", "mkdir -p out && cat gen/a > out/a; echo built"),
    inputs: [],
    outputs: ["out"],
    dependencies: ["gen", "lint"],
  },
  prints: { ...counting("prints", "env"), inputs: [], env: { SAID: "by cue" } },
};
const files = { "src/a": "1", rules: "1", "env.cue": cue({ tasks }) };

describe("cuenv task --only", () => {
  it("runs nothing that the task depends on, and has the key of a run of all of it", async () => {
    const sandbox = createSandbox(files);
    await sandbox.cuenv(["task", "build"]);
    const whole = await runJson(sandbox, ["build"]);
    expect(whole.tasks["build"]?.cache.status).toBe("hit");
    const only = await runJson(sandbox, ["build", "--only"]);
    expect(Object.keys(only.tasks)).toEqual(["build"]);
    expect(only.tasks["build"]).toMatchObject({
      cache: { status: "hit" },
      key: whole.tasks["build"]?.key,
    });
    sandbox.write("gen/a", "made by somebody else");
    sandbox.write("src/a", "2");
    const other = await runJson(sandbox, ["build", "--only"]);
    expect(other.tasks["build"]?.cache.status).toBe("miss");
    expect(sandbox.read("out/a")).toBe("made by somebody else");
    sandbox.write("rules", "2");
    expect(await statusOf(sandbox, "build", { args: ["--only"] })).toBe("miss");
    expect([sandbox.count("../gen"), sandbox.count("../lint")]).toEqual([1, 1]);
  });

  it("runs the task in the environment of a cached run with --uncached, and stores nothing", async () => {
    const sandbox = createSandbox(files);
    const args = ["task", "prints", "--only"];
    const env = { NOBODYS: "1", CI: "true" };
    const open = await sandbox.cuenv([...args, "--cache", "off"], { env });
    expect(open.stdout).toContain("NOBODYS=1");
    const closed = await sandbox.cuenv([...args, "--uncached"], { env });
    expect(closed.stdout).not.toContain("NOBODYS");
    expect(closed.stdout).toContain("SAID=by cue");
    expect(closed.stdout).toContain("CI=true");
    expect(closed.stderr).toBe("");
    expect((await sandbox.cuenv([...args, "--uncached"], { env })).stdout).toBe(closed.stdout);
    expect(sandbox.exists("../cache/v1/ac")).toBe(false);
  });

  it("does not run a task that is not the one that was asked for, by its definition", async () => {
    const sandbox = createSandbox(files);
    const { stdout } = await sandbox.cuenv(["inspect", "--json"]);
    const { projects } = JSON.parse(stdout) as {
      projects: { tasks: { name: string; definition: string }[] }[];
    };
    const CUENV_TASK_DEFINITION = projects[0]?.tasks.find(
      ({ name }) => name === "lint",
    )?.definition;
    const run = () => sandbox.cuenv(["task", "lint", "--only"], { env: { CUENV_TASK_DEFINITION } });
    expect((await run()).code).toBe(0);
    sandbox.write("env.cue", cue({ tasks: { lint: { ...tasks.lint, command: "true" } } }));
    const { code, stderr } = await run();
    expect(code).toBe(3);
    expect(stderr).toContain("[RUN_DEFINITION]");
  });
});
