import { setTimeout as sleep } from "node:timers/promises";
import type { Project } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import {
  commandTask,
  failed,
  groupTask,
  projectOf,
  sequenceTask,
  succeeded,
} from "../test/project.ts";
import {
  type ExecutionOutcome,
  Interruption,
  planRun,
  type RunOptions,
  runPlan,
  type RunSummary,
} from "./index.ts";

type Answers = Readonly<Record<string, ExecutionOutcome<undefined>>>;

/** Runs `names` with prepared outcomes; says in which order tasks started. */
async function run(
  project: Project,
  names: readonly string[],
  answers: Answers = {},
  options: Partial<RunOptions<undefined>> = {},
): Promise<{ readonly started: string[]; readonly summary: RunSummary<undefined> }> {
  const started: string[] = [];
  const summary = await runPlan(planRun(project, { names }), {
    jobs: 4,
    async execute(node) {
      await sleep(1);
      return answers[node.name] ?? succeeded;
    },
    onEvent(event) {
      if (event.kind === "started") started.push(event.node.name);
    },
    ...options,
  });
  return { started, summary };
}

const diamond = projectOf(
  commandTask("a"),
  commandTask("b", { dependencies: ["a"] }),
  commandTask("c", { dependencies: ["a"] }),
  commandTask("d", { dependencies: ["b", "c"] }),
  commandTask("lone"),
);

describe("runPlan", () => {
  it("hands on the outcomes of what only comes before, apart from those of dependencies", async () => {
    const project = projectOf(
      commandTask("a"),
      commandTask("b", { dependencies: ["a"] }),
      commandTask("c"),
      sequenceTask("all", ["b", "c"]),
    );
    const seen: Record<string, unknown> = {};
    const execute: RunOptions<undefined>["execute"] = (node, { dependencies, after }) => {
      seen[node.name] = [[...dependencies.keys()], [...after.keys()]];
      return succeeded;
    };
    await run(project, ["all"], {}, { execute });
    expect(seen).toEqual({ a: [[], []], b: [["a"], []], c: [[], ["b"]] });
  });

  it("runs everything once, after what it depends on, and hands on the outcomes of dependencies", async () => {
    const seen: Record<string, string[]> = {};
    const { summary } = await run(
      diamond,
      ["d"],
      {},
      {
        execute(node, { dependencies }) {
          seen[node.name] = [...dependencies.keys()];
          return succeeded;
        },
      },
    );
    expect(seen).toEqual({ a: [], b: ["a"], c: ["a"], d: ["b", "c"] });
    expect(summary).toMatchObject({ exitCode: 0, failed: [] });
    expect([...summary.outcomes.keys()]).toEqual(["a", "b", "c", "d"]);
  });

  it("runs no more at once than jobs and a group's limit allow", async () => {
    const members = ["g.0", "g.1", "g.2", "g.3"];
    const project = projectOf(
      groupTask("g", members, { maxConcurrency: 2 }),
      ...members.map((name) => commandTask(name)),
      commandTask("x"),
      commandTask("y"),
    );
    let running = 0;
    let inGroup = 0;
    let most = 0;
    let mostInGroup = 0;
    await run(
      project,
      ["g", "x", "y"],
      {},
      {
        jobs: 3,
        async execute(node) {
          running += 1;
          if (node.name.startsWith("g.")) inGroup += 1;
          most = Math.max(most, running);
          mostInGroup = Math.max(mostInGroup, inGroup);
          await sleep(5);
          running -= 1;
          if (node.name.startsWith("g.")) inGroup -= 1;
          return succeeded;
        },
      },
    );
    expect({ most, mostInGroup }).toEqual({ most: 3, mostInGroup: 2 });
  });

  it("starts ready tasks in the order of the plan", async () => {
    const { started } = await run(diamond, ["lone", "d"], {}, { jobs: 1 });
    expect(started).toEqual(["lone", "a", "b", "c", "d"]);
  });

  it("starts what is to be first, with what it waits for, before the rest", async () => {
    const order = async (first: readonly string[]) =>
      (await run(diamond, ["lone", "d"], {}, { jobs: 1, first })).started;
    expect(await order(["c"])).toEqual(["a", "c", "lone", "b", "d"]);
    expect(await order(["d"])).toEqual(["a", "b", "c", "d", "lone"]);
    expect(await order(["lone", "b"])).toEqual(["lone", "a", "b", "c", "d"]);
    expect(await order(["nobody"])).toEqual(["lone", "a", "b", "c", "d"]);
    const { summary } = await run(diamond, ["lone", "d"], {}, { first: ["d"] });
    expect([...summary.outcomes.keys()]).toEqual(["lone", "a", "b", "c", "d"]);
  });

  it("runs a sequence one after the other, and ends it at the first failure", async () => {
    const project = projectOf(
      sequenceTask("s", ["s[0]", "s[1]", "s[2]"]),
      commandTask("s[0]"),
      commandTask("s[1]"),
      commandTask("s[2]"),
    );
    const { started, summary } = await run(
      project,
      ["s"],
      { "s[1]": failed(7) },
      { continueOnError: true },
    );
    expect(started).toEqual(["s[0]", "s[1]"]);
    expect(summary.outcomes.get("s[2]")).toEqual({
      status: "skipped",
      reason: { kind: "dependency", task: "s[1]" },
    });
    expect(summary.exitCode).toBe(7);
  });
});

describe("runPlan: failures", () => {
  it("starts nothing after a failure, lets what runs finish, and says why the rest was skipped", async () => {
    const { started, summary } = await run(
      diamond,
      ["d", "lone"],
      {},
      {
        jobs: 2,
        async execute(node) {
          await sleep(node.name === "lone" ? 40 : 1);
          return node.name === "b" ? failed(3) : succeeded;
        },
      },
    );
    expect(started).toEqual(["a", "lone", "b"]);
    expect(summary.exitCode).toBe(3);
    expect(summary.failed).toEqual(["b"]);
    expect(summary.outcomes.get("lone")?.status).toBe("succeeded");
    expect(summary.outcomes.get("c")).toEqual({
      status: "skipped",
      reason: { kind: "stopped", task: "b" },
    });
    expect(summary.outcomes.get("d")).toEqual({
      status: "skipped",
      reason: { kind: "dependency", task: "b" },
    });
  });

  it("runs on with continueOnError what does not need the failed task", async () => {
    const { started, summary } = await run(
      diamond,
      ["d", "lone"],
      { b: failed(3) },
      { continueOnError: true, jobs: 1 },
    );
    expect(started).toEqual(["a", "b", "c", "lone"]);
    expect(summary.outcomes.get("d")).toEqual({
      status: "skipped",
      reason: { kind: "dependency", task: "b" },
    });
    expect(summary.exitCode).toBe(3);
  });

  it("excuses a task that says continueOnError, and runs what depends on it", async () => {
    const project = projectOf(
      commandTask("a", { continueOnError: true }),
      commandTask("b", { dependencies: ["a"] }),
    );
    const { started, summary } = await run(project, ["b"], { a: failed(3) });
    expect(started).toEqual(["a", "b"]);
    expect(summary).toMatchObject({ exitCode: 0, failed: [] });
    expect(summary.outcomes.get("a")?.status).toBe("failed");
  });

  it("ends with the code of the failed task that is first in the plan, not the first in time", async () => {
    const project = projectOf(commandTask("slow"), commandTask("fast"));
    const { summary } = await run(
      project,
      ["slow", "fast"],
      {},
      {
        async execute(node) {
          await sleep(node.name === "slow" ? 20 : 1);
          return failed(node.name === "slow" ? 5 : 6);
        },
      },
    );
    expect(summary).toMatchObject({ exitCode: 5, failed: ["slow", "fast"] });
  });

  it("makes an error thrown by execute that task's outcome, with the error's exit code", async () => {
    const { summary } = await run(
      diamond,
      ["lone"],
      {},
      {
        execute() {
          throw new CuenvError("RUN_ARGUMENTS", "cannot run it");
        },
      },
    );
    expect(summary.outcomes.get("lone")?.status).toBe("errored");
    expect(summary.exitCode).toBe(2);
  });

  it("rejects when the listener of events throws, for that is a bug of ours", async () => {
    const broken = run(
      diamond,
      ["lone"],
      {},
      {
        onEvent() {
          throw new Error("listener");
        },
      },
    );
    await expect(broken).rejects.toThrow("listener");
  });
});

describe("runPlan: interruption", () => {
  it("starts nothing more, waits for what runs, and ends with 130", async () => {
    const controller = new AbortController();
    const { started, summary } = await run(
      diamond,
      ["d"],
      {},
      {
        signal: controller.signal,
        async execute(_node, { signal }) {
          await sleep(5);
          controller.abort(new Interruption("SIGINT"));
          expect(signal.aborted).toBe(true);
          return { status: "cancelled", exitCode: 130, durationMs: 5, payload: undefined };
        },
      },
    );
    expect(started).toEqual(["a"]);
    expect(summary).toMatchObject({ exitCode: 130, failed: ["a"] });
    expect(summary.outcomes.get("d")).toEqual({
      status: "skipped",
      reason: { kind: "interrupted" },
    });
  });

  it("ends with 143 and 129 for SIGTERM and SIGHUP", async () => {
    for (const [signal, code] of [
      ["SIGTERM", 143],
      ["SIGHUP", 129],
    ] as const) {
      const { summary } = await run(
        diamond,
        ["d"],
        {},
        { signal: AbortSignal.abort(new Interruption(signal)) },
      );
      expect(summary.exitCode).toBe(code);
    }
  });
});

describe("runPlan: cost", () => {
  it("settles 5000 tasks that answer at once without a stack that grows", async () => {
    const chain = Array.from({ length: 5000 }, (_, index) =>
      commandTask(`t${index}`, { dependencies: index === 0 ? [] : [`t${index - 1}`] }),
    );
    const plan = planRun(projectOf(...chain), { names: ["t4999"] });
    const summary = await runPlan(plan, { execute: () => succeeded });
    expect(summary.outcomes.size).toBe(5000);
    expect(summary.exitCode).toBe(0);
  });
});
