import { beforeAll, describe, expect, it } from "vitest";
import { runJson } from "./run-json.ts";
import { counting, createSandbox, cue, launcher } from "./sandbox.ts";

const tasks = {
  t: { ...counting("t", "sleep 0.5; echo said; date +%s%N > out"), inputs: [], outputs: ["out"] },
  fails: { ...counting("fails", "sleep 0.2; exit 3"), inputs: [] },
  read: { ...counting("read", "sleep 0.5"), inputs: [], cache: { mode: "read" } },
};
const project = createSandbox({ "env.cue": cue({ tasks }) });
beforeAll(() => project.cuenv(["task"]));

describe("several processes", () => {
  it("row 4: eight that run one task at once execute it once, and all are right", async () => {
    const runs = await Promise.all(Array.from({ length: 8 }, () => project.cuenv(["task", "t"])));
    for (const run of runs) expect(run, run.stderr).toMatchObject({ code: 0, stdout: "said\n" });
    expect(project.count("../t")).toBe(1);
    expect(runs.filter((run) => run.stderr.includes(": hit"))).toHaveLength(7);
    expect((await project.cuenv(["cache", "verify"])).code).toBe(0);
  });

  it("row 4: of those that wait for one that fails, each runs the task itself", async () => {
    const runs = await Promise.all(
      Array.from({ length: 3 }, () => project.cuenv(["task", "fails"])),
    );
    for (const run of runs) expect(run.code, run.stderr).toBe(3);
    expect(project.count("../fails")).toBe(3);
  });

  it("row 4: cold projects at several paths share one execution through one cache", async () => {
    const shared = {
      "env.cue": cue({
        tasks: {
          t: {
            command: "sleep 0.3; echo x >> $RUNS; echo made > out",
            inputs: [],
            outputs: ["out"],
            cacheConfig: { envMode: "loose" },
          },
        },
      }),
    };
    const first = createSandbox(shared);
    const sandboxes = [first, ...[1, 2].map(() => createSandbox(shared, { beside: first }))];
    const env = { RUNS: first.path("../runs") };
    const runs = await Promise.all(sandboxes.map((sandbox) => runJson(sandbox, ["t"], { env })));
    expect(runs.map((run) => run.code)).toEqual([0, 0, 0]);
    expect(sandboxes.map((sandbox) => sandbox.read("out"))).toEqual(["made\n", "made\n", "made\n"]);
    expect(first.count("../runs")).toBe(1);
  });

  it("row 4: storing, clearing and reading at once fails nobody", async () => {
    const work = Array.from({ length: 6 }, (_, index) =>
      index % 3 === 2 ? project.cuenv(["cache", "clear"]) : project.cuenv(["task", "t"]),
    );
    for (const run of await Promise.all(work)) expect(run.code, run.stderr).toBe(0);
    expect((await project.cuenv(["cache", "verify"])).code).toBe(0);
    const run = await project.cuenv(["task", "t"]);
    expect(run).toMatchObject({ code: 0, stdout: "said\n" });
  });
});

describe("a task that starts cuenv", () => {
  const again = (name: string): string => `"${process.execPath}" "${launcher}" task ${name}`;
  const nested = createSandbox({
    "env.cue": cue({
      tasks: {
        // Through a shell and a process beside it, as a script of package.json would.
        round: { ...counting("round", `sh -c '${again("round")}; exit $?' | cat >&2`), inputs: [] },
        slow: { ...counting("slow", "sleep 1; echo slow"), inputs: [] },
        inner: { ...counting("inner", again("slow")), inputs: [] },
      },
    }),
  });
  // Tasks do not see CUENV_CACHE_DIR: with the default folder both processes have the same.
  const env = { CUENV_CACHE_DIR: undefined };
  beforeAll(() => nested.cuenv(["task"], { env }));

  it("row 4: the same task again ends with an error at once, and does not wait for itself", async () => {
    const run = await nested.cuenv(["task", "round"], { env, signal: AbortSignal.timeout(20_000) });
    expect(run.stderr).toContain("cannot run round");
    expect(run.stderr).toContain("RUN_CIRCLE");
    expect(run.stderr).not.toContain("waiting for another");
    expect(nested.count("../round")).toBe(1);
  });

  it("row 4: another one that runs beside it is waited for, and hits", async () => {
    const run = await runJson(nested, ["slow", "inner", "--jobs", "2"], { env });
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining("waiting for another")]);
    expect([nested.count("../slow"), nested.count("../inner")]).toEqual([1, 1]);
  });
});
