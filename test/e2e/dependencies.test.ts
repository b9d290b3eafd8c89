import { rmSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { cacheStatus } from "./run-json.ts";
import { counting, createSandbox, cue } from "./sandbox.ts";

const project = createSandbox({
  "produced.in": "1 comment\n",
  "referred.in": "one\n",
  "kept.in": "1\n",
  "bare.in": "1\n",
  "passed.in": "1\n",
  "env.cue": cue({
    tasks: {
      produce: {
        ...counting("produce", "cut -d' ' -f1 produced.in > produced.out"),
        inputs: ["produced.in"],
        outputs: ["produced.out"],
      },
      consume: {
        ...counting("consume", "cat produced.out"),
        dependencies: ["produce"],
        inputs: [],
        outputs: [],
      },
      last: { ...counting("last"), dependencies: ["consume"], inputs: [] },
      keep: {
        ...counting("keep", "cat kept.in > kept.out"),
        inputs: ["kept.in"],
        outputs: ["kept.out"],
      },
      useKept: { ...counting("useKept", "cat kept.out"), dependencies: ["keep"], inputs: [] },
      bare: { ...counting("bare"), inputs: ["bare.in"] },
      afterBare: { ...counting("afterBare"), dependencies: ["bare"], inputs: [] },
      uncached: counting("uncached"),
      afterUncached: { ...counting("afterUncached"), dependencies: ["uncached"], inputs: [] },
      maker: {
        ...counting("maker", "cat passed.in > passed.out"),
        cache: false,
        outputs: ["passed.out"],
      },
      afterMaker: {
        ...counting("afterMaker", "cat passed.out"),
        dependencies: ["maker"],
        inputs: [],
      },
    },
  }),
});
beforeAll(() => project.cuenv(["task"]));

describe.concurrent("dependencies", () => {
  it("row 45: outputs of a dependency are inputs without being listed; equal ones let the dependent hit", async () => {
    const run = (): Promise<Readonly<Record<string, string>>> => cacheStatus(project, ["last"]);
    expect(await run()).toEqual({ produce: "miss", consume: "miss", last: "miss" });
    expect(await run()).toEqual({ produce: "hit", consume: "hit", last: "hit" });
    project.write("produced.in", "1 another comment\n");
    expect(await run()).toEqual({ produce: "miss", consume: "hit", last: "hit" });
    project.write("produced.in", "2 comment\n");
    expect(await run()).toEqual({ produce: "miss", consume: "miss", last: "miss" });
    project.write("produced.in", "1 comment\n");
    expect(await run()).toEqual({ produce: "hit", consume: "hit", last: "hit" });
  });

  it("row 45: outputs of a dependency that were deleted are no reason for its dependents to run", async () => {
    await cacheStatus(project, ["useKept"]);
    rmSync(project.path("kept.out"));
    expect(await cacheStatus(project, ["useKept"])).toEqual({ keep: "hit", useKept: "hit" });
  });

  it("row 45: outputs of a dependency that were edited by hand are put right before anybody reads them", async () => {
    await cacheStatus(project, ["useKept"]);
    project.write("kept.out", "edited\n");
    expect(await cacheStatus(project, ["useKept"])).toEqual({ keep: "hit", useKept: "hit" });
    expect(project.read("kept.out")).toBe("1\n");
  });

  it("row 25: a dependency without outputs counts with its key", async () => {
    const run = (): Promise<Readonly<Record<string, string>>> =>
      cacheStatus(project, ["afterBare"]);
    expect(await run()).toEqual({ bare: "miss", afterBare: "miss" });
    expect(await run()).toEqual({ bare: "hit", afterBare: "hit" });
    project.write("bare.in", "2\n");
    expect(await run()).toEqual({ bare: "miss", afterBare: "miss" });
    project.write("bare.in", "1\n");
    expect(await run()).toEqual({ bare: "hit", afterBare: "hit" });
  });

  it("row 31: what depends on an uncached task without outputs runs when that ran", async () => {
    for (let time = 1; time <= 2; time += 1) {
      const status = await cacheStatus(project, ["afterUncached"]);
      expect(status).toEqual({ uncached: "off", afterUncached: "miss" });
      expect(project.count("../afterUncached")).toBe(time);
    }
  });

  it("row 31: what uses the output of an uncached task without outputs is said to run, and why", async () => {
    const own = createSandbox({
      "env.cue": `tasks: {
        version: {command: "echo", args: ["1.2"]}
        pack: {command: "echo", args: [version.stdout], inputs: []}
        ship: {command: "echo", args: [pack.stdout], inputs: []}
      }`,
    });
    await own.cuenv(["task", "ship"]);
    const why = await own.cuenv(["why", "pack"]);
    expect(why.stdout).toBe(
      "version ran, which is not cached and declares no outputs\npack would run, and not be stored: it has no key\n",
    );
    const dry = await own.cuenv(["task", "ship", "--dry-run"]);
    expect(dry.stdout.replaceAll(/ +/g, " ")).toBe(
      "version runs not cached\npack miss version ran, which is not cached and declares no outputs\nship unknown depends on what pack makes, which would run first\n",
    );
  });

  it("row 31: what runs after a failure that is excused says so, and is not stored", async () => {
    const own = createSandbox({
      flag: "bad",
      "env.cue": cue({
        tasks: {
          soft: {
            command: "cat flag > soft.out; grep -q ok flag",
            inputs: ["flag"],
            outputs: ["soft.out"],
            continueOnError: true,
          },
          absent: { command: "no-such-program", args: [], continueOnError: true },
          after: { command: "cat soft.out", inputs: [], dependencies: ["soft"] },
          afterAbsent: { command: "echo on", inputs: [], dependencies: ["absent"] },
        },
      }),
    });
    const run = await own.cuenv(["task", "after"]);
    expect(run).toMatchObject({ code: 0, stdout: expect.stringMatching(/^after │ bad$/m) });
    expect(run.stderr).toMatch(/after: miss, soft failed\n/);
    expect(run.stderr).not.toMatch(/after: .*stored/);
    expect((await own.cuenv(["task", "afterAbsent"])).stderr).toMatch(
      /afterAbsent: miss, absent failed\n/,
    );
    own.write("flag", "ok");
    expect(await cacheStatus(own, ["after"])).toEqual({ soft: "miss", after: "miss" });
    expect(await cacheStatus(own, ["after"])).toEqual({ soft: "hit", after: "hit" });
  });

  it("row 45: an uncached dependency counts with the outputs that it declares", async () => {
    const run = (): Promise<Readonly<Record<string, string>>> =>
      cacheStatus(project, ["afterMaker"]);
    expect(await run()).toEqual({ maker: "off", afterMaker: "miss" });
    expect(await run()).toEqual({ maker: "off", afterMaker: "hit" });
    project.write("passed.in", "2\n");
    expect(await run()).toEqual({ maker: "off", afterMaker: "miss" });
  });

  it("row 32: the miss of a dependent names the dependency's output that changed", async () => {
    const own = createSandbox({
      "a.in": "1\n",
      "env.cue": cue({
        tasks: {
          a: { command: "cp a.in a.out", inputs: ["a.in"], outputs: ["a.out"] },
          b: { command: "cat a.out", dependencies: ["a"], inputs: [] },
        },
      }),
    });
    await own.cuenv(["task", "b"]);
    own.write("a.in", "2\n");
    expect((await own.cuenv(["task", "b"])).stderr).toMatch(/cuenv b: miss, .*a\.out/);
  });

  it("row 45: a dependency in a chain is not run when only its own outputs are gone", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          a: { ...counting("a", "mkdir -p d/e; echo 1 > d/e/f"), inputs: [], outputs: ["d"] },
          b: { ...counting("b", "cp -r d/e g"), dependencies: ["a"], inputs: [], outputs: ["g"] },
        },
      }),
    });
    await own.cuenv(["task", "b"]);
    own.remove("d");
    own.remove("g");
    expect(await cacheStatus(own, ["b"])).toEqual({ a: "hit", b: "hit" });
    expect([own.read("d/e/f"), own.read("g/f")]).toEqual(["1\n", "1\n"]);
    expect([own.count("../a"), own.count("../b")]).toEqual([1, 1]);
  });

  it("row 31: overlapping outputs of two tasks are an error that names both, before anything runs", async () => {
    const own = createSandbox({
      "env.cue":
        'tasks: {\n\ta: {command: "touch ../ran", outputs: ["out"]}\n\tb: {command: "touch ../ran", outputs: ["out/sub/*.js"]}\n}\n',
    });
    const run = await own.cuenv(["task", "a"]);
    expect(run).toMatchObject({ code: 3, stdout: "" });
    expect(run.stderr).toMatch(/env\.cue:3:\d+: .*b.*out\/sub\/\*\.js.*a/s);
    expect(own.exists("../ran")).toBe(false);
  });

  it("row 31: an unknown dependency and a circle are errors with place and near name", async () => {
    const own = createSandbox({
      "env.cue":
        'tasks: {\n\tbuild: command: "true"\n\ttest: {\n\t\tcommand: "true"\n\t\tdependencies: ["biuld"]\n\t}\n}\n',
    });
    const unknown = await own.cuenv(["task", "test"]);
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toMatch(/env\.cue:5:\d+: .*"biuld".*\n.*did you mean "build"/);
    own.write(
      "env.cue",
      cue({
        tasks: {
          a: { command: "true", dependencies: ["b"] },
          b: { command: "true", dependencies: ["a"] },
        },
      }),
    );
    const circle = await own.cuenv(["task", "a"]);
    expect(circle.code).toBe(3);
    expect(circle.stderr).toMatch(/a.*b.*a/);
  });
});
