import { describe, expect, it } from "vitest";
import { counting, createSandbox, cue } from "./sandbox.ts";

const project = createSandbox({
  "src/a": "a",
  "env.cue": cue({
    tasks: {
      gen: {
        ...counting("gen", "sleep 0.2; mkdir -p gen && cp src/a gen/a"),
        inputs: ["src"],
        outputs: ["gen"],
      },
      lint: { ...counting("lint", "sleep 0.2"), inputs: ["src"] },
      test: { command: "true", inputs: ["src"], dependencies: ["gen", "lint"] },
      plain: { command: "sleep", args: ["0.05"] },
      fails: { command: "exit 7" },
      never: { command: "true", dependencies: ["fails"] },
    },
  }),
});

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly cat: string;
  readonly ts: number;
  readonly dur: number;
  readonly tid: number;
  readonly args: Readonly<Record<string, unknown>>;
}

async function trace(args: readonly string[], code = 0): Promise<readonly TraceEvent[]> {
  const run = await project.cuenv(["task", ...args, "--trace", "../trace.json"]);
  expect(run.code, run.stderr).toBe(code);
  const { traceEvents } = JSON.parse(project.read("../trace.json")) as {
    traceEvents: TraceEvent[];
  };
  return traceEvents.filter(({ ph }) => ph === "X");
}

function phasesOf(events: readonly TraceEvent[], task: string): readonly string[] {
  const whole = events.find(({ name, cat }) => name === task && cat === "task");
  if (whole === undefined) throw new Error(`${task} is not in the trace`);
  return events
    .filter(
      ({ cat, tid, ts, dur }) =>
        cat === "phase" && tid === whole.tid && ts >= whole.ts && ts + dur <= whole.ts + whole.dur,
    )
    .map(({ name }) => name)
    .filter((name) => name !== "resolve");
}

describe("cuenv task --trace", () => {
  it("shows evaluation, and of each task key, look-up, run and store; of a hit key, look-up and restore", async () => {
    const cold = await trace(["test", "plain", "--jobs", "2"]);
    expect(cold.flatMap(({ name, cat }) => (cat === "cuenv" ? [name] : []))).toEqual([
      "start",
      "evaluate",
    ]);
    expect(phasesOf(cold, "gen")).toEqual(["key", "look up", "run", "store"]);
    expect(phasesOf(cold, "plain")).toEqual(["run"]);
    expect(cold.find(({ name }) => name === "gen")?.args).toMatchObject({
      outcome: "succeeded",
      cache: { status: "miss", reason: "no result stored yet" },
    });
    project.remove("gen");
    const warm = await trace(["test", "plain"]);
    expect(phasesOf(warm, "gen")).toEqual(["key", "restore", "look up"]);
    expect(phasesOf(warm, "test")).toEqual(["key", "look up"]);
  });

  it("has no two tasks in one lane at once, and the lanes of what ran at once are others", async () => {
    project.write("src/a", "b");
    const tasks = (await trace(["test", "--jobs", "2"])).filter(({ cat }) => cat === "task");
    const lane = (name: string) => tasks.find((task) => task.name === name);
    expect(lane("gen")?.tid).not.toBe(lane("lint")?.tid);
    for (const one of tasks) {
      const others = tasks.filter((other) => other !== one && other.tid === one.tid);
      for (const { ts, dur } of others)
        expect(ts + dur <= one.ts || one.ts + one.dur <= ts).toBe(true);
    }
  });

  it("is written when a task fails, too, and its exit code stays", async () => {
    const events = await trace(["never"], 7);
    expect(events.find(({ name }) => name === "fails")?.args).toMatchObject({ exitCode: 7 });
  });

  it("fails nothing where it cannot be written, and is refused where nothing runs", async () => {
    const run = await project.cuenv(["task", "plain", "--trace", "../no/where.json"]);
    expect(run.code).toBe(0);
    expect(run.stderr).toMatch(/warning: cannot write the trace/);
    for (const args of [
      ["--trace", "../x.json"],
      ["plain", "--dry-run", "--trace", "../x.json"],
      ["--summary", "../x.json"],
      ["plain", "--trace="],
    ])
      expect(await project.cuenv(["task", ...args])).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("in GitHub Actions", () => {
  it("a run adds a table to the summary of the step, unless that is turned off", async () => {
    const env = { GITHUB_STEP_SUMMARY: project.path("../step.md") };
    await project.cuenv(["task", "plain"], { env: { ...env, CUENV_STEP_SUMMARY: "off" } });
    expect(project.exists("../step.md")).toBe(false);
    const run = await project.cuenv(["task", "never", "test", "--continue-on-error"], { env });
    expect(run.code).toBe(7);
    await project.cuenv(["task", "plain", "--dry-run"], { env });
    const text = project.read("../step.md");
    expect(text.match(/^### cuenv$/gm)).toHaveLength(1);
    expect(text).toMatch(/^\| fails \| failed \(7\) \| off \| /m);
    expect(text).toMatch(/^\| test \| ok \| hit \| /m);
    expect(text).toMatch(/^\| never \| skipped \| skipped \| {2}\| {2}\| {2}\|$/m);
  });
});
