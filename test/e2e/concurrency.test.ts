import { readdirSync, readFileSync, rmSync } from "node:fs";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { runJson } from "./run-json.ts";
import { counting, createSandbox, cue, launcher, type Sandbox } from "./sandbox.ts";

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

/** Each waits between its two files until it may go on; what is in them is the variable that is in its key. */
const waiting = {
  tasks: {
    gen: {
      command:
        "mkdir -p gen; echo $V > gen/a; echo $PPID > ../pid-$V; : > ../gen-$V; until [ -e ../go-gen-$V ]; do sleep 0.02; done; echo $V > gen/b",
      inputs: [],
      outputs: ["gen"],
      cacheConfig: { envInclude: ["V"] },
    },
    use: {
      command:
        "mkdir -p use; cat gen/a > use/a; : > ../use-$(cat gen/a); until [ -e ../go-use ]; do sleep 0.02; done; cat gen/b > use/b",
      inputs: [],
      outputs: ["use"],
      dependencies: ["gen"],
    },
  },
};

const isThere = (sandbox: Sandbox, file: string): Promise<void> =>
  vi.waitFor(() => expect(sandbox.exists(file)).toBe(true), { timeout: 30_000 });

function textBelow(folder: string): string {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files
    .map(({ parentPath, name }) => readFileSync(`${parentPath}/${name}`, "utf8"))
    .join("");
}

describe("a cache folder that is removed while a task runs", () => {
  it("is what the run says it is not stored for, and nobody else is blamed", async () => {
    const sandbox = createSandbox({ "env.cue": cue(waiting) });
    const run = sandbox.cuenv(["task", "gen"], { env: { V: "one" } });
    await isThere(sandbox, "../gen-one");
    rmSync(sandbox.cacheDir, { recursive: true });
    sandbox.write("../go-gen-one", "");
    const { code, stderr } = await run;
    expect(code).toBe(0);
    expect(stderr).toContain("gen is not stored: the cache folder was emptied while it ran");
    expect(stderr).not.toContain("another cuenv");
  });
});

describe("several processes that write the same outputs", () => {
  it("store nothing when they run one task at once for different keys", async () => {
    const sandbox = createSandbox({ "env.cue": cue(waiting) });
    const one = sandbox.cuenv(["task", "gen"], { env: { V: "one" } });
    await isThere(sandbox, "../gen-one");
    const two = sandbox.cuenv(["task", "gen"], { env: { V: "two" } });
    await isThere(sandbox, "../gen-two");
    // gen/a is of two now; gen/b will be of one.
    sandbox.write("../go-gen-one", "");
    const first = await one;
    sandbox.write("../go-gen-two", "");
    for (const run of [first, await two]) {
      expect(run).toMatchObject({ code: 0 });
      expect(run.stderr).toContain("another cuenv wrote its outputs while it ran");
    }
    for (const value of ["one", "two"]) {
      const run = await sandbox.cuenv(["task", "gen"], { env: { V: value } });
      expect(run.stderr).toContain("gen: ran");
      expect([sandbox.read("gen/a"), sandbox.read("gen/b")]).toEqual([`${value}\n`, `${value}\n`]);
    }
    expect(readdirSync(sandbox.path("../cache/v1/writers"))).toEqual([]);
  });

  it("store nothing into which another one has put an earlier result", async () => {
    const sandbox = createSandbox({ "env.cue": cue(waiting) });
    sandbox.write("../go-gen-two", "");
    await sandbox.cuenv(["task", "gen"], { env: { V: "two" } });
    const one = sandbox.cuenv(["task", "gen"], { env: { V: "one" } });
    await isThere(sandbox, "../gen-one");
    const hit = await sandbox.cuenv(["task", "gen"], { env: { V: "two" } });
    expect(hit.stderr).toContain("gen: hit");
    sandbox.write("../go-gen-one", "");
    expect((await one).stderr).toContain("another cuenv wrote its outputs while it ran");
  });

  it("store nothing that was made while another one changed what it was made of, and back", async () => {
    const sandbox = createSandbox({ "env.cue": cue(waiting) });
    for (const value of ["one", "two"]) {
      sandbox.write(`../go-gen-${value}`, "");
      await sandbox.cuenv(["task", "gen"], { env: { V: value } });
    }
    const use = sandbox.cuenv(["task", "use"], { env: { V: "one" } });
    await isThere(sandbox, "../use-one");
    for (const value of ["two", "one"]) await sandbox.cuenv(["task", "gen"], { env: { V: value } });
    sandbox.write("../go-use", "");
    expect((await use).stderr).toContain("another cuenv wrote the outputs of gen while it ran");
  });

  it("store nothing that was made while what a killed one had started still wrote", async () => {
    const sandbox = createSandbox({ "env.cue": cue(waiting) });
    const one = sandbox.cuenv(["task", "gen"], { env: { V: "one" } });
    await isThere(sandbox, "../gen-one");
    // Started, and written down.
    const writers = sandbox.path("../cache/v1/writers");
    await vi.waitFor(() => expect(textBelow(writers)).toContain('"start"'), { timeout: 30_000 });
    process.kill(Number(sandbox.read("../pid-one")), "SIGKILL");
    expect((await one).signal).toBe("SIGKILL");
    const two = sandbox.cuenv(["task", "gen"], { env: { V: "two" } });
    await isThere(sandbox, "../gen-two");
    sandbox.write("../go-gen-two", "");
    expect((await two).stderr).toContain("another cuenv wrote its outputs while it ran");
    sandbox.write("../go-gen-one", "");
    await vi.waitFor(
      async () => {
        const run = await sandbox.cuenv(["task", "gen"], { env: { V: "two" } });
        expect(run.stderr).toMatch(/ran in .*, stored/);
      },
      { timeout: 20_000 },
    );
    expect(readdirSync(sandbox.path("../cache/v1/writers"))).toEqual([]);
  });

  it("store nothing that read what an uncached task was making anew", async () => {
    const { gen, use } = waiting.tasks;
    const also = { command: "cat gen/a", inputs: [], dependencies: ["gen"] };
    const these = { gen: { ...gen, cache: false }, use, also };
    const sandbox = createSandbox({ "env.cue": cue({ tasks: these }) });
    sandbox.write("../go-gen-one", "");
    const run = sandbox.cuenv(["task", "use"], { env: { V: "one" } });
    await isThere(sandbox, "../use-one");
    // The same again, and for a moment it is not there.
    await sandbox.cuenv(["task", "also"], { env: { V: "one" } });
    sandbox.write("../go-use", "");
    expect((await run).stderr).toContain("another cuenv wrote the outputs of gen while it ran");
  });

  it("store what only reads the same outputs, or has none, though it runs in several at once", async () => {
    const other = (name: string): string =>
      `: > ../${name}-$V; until [ -e ../${name}-one ] && [ -e ../${name}-two ]; do sleep 0.02; done`;
    const more = { inputs: [], cacheConfig: { envInclude: ["V"] } };
    const these = {
      build: { command: "echo built > out", inputs: [], outputs: ["out"] },
      test: { command: other("test"), dependencies: ["build"], ...more },
      lint: { command: other("lint"), outputs: [], ...more },
    };
    const sandbox = createSandbox({ "env.cue": cue({ tasks: these }) });
    const run = (value: string) => sandbox.cuenv(["task", "test", "lint"], { env: { V: value } });
    await sandbox.cuenv(["task", "build"]);
    for (const { stderr } of await Promise.all([run("one"), run("two")]))
      expect(stderr).not.toContain("not stored");
    for (const value of ["one", "two"])
      expect((await run(value)).stderr).toContain("3 tasks: 3 hit");
  });
});
