import { chmodSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { open, root, run, task, useEngineFolder } from "../test/engine-rig.ts";
import { executeWithoutCache } from "./execute-without-cache.ts";
import type { DependencyState, Execution, TaskOutcome } from "./task-request.ts";

useEngineFolder();

describe("dependencies", () => {
  const consumer = task({ name: "pack", inputs: [], outputs: ["packed"] });
  const states = (
    outcome: TaskOutcome<Execution>,
  ): { dependencies: readonly DependencyState[] } => ({ dependencies: [outcome.state] });

  it("let a dependent hit when their outputs came out equal, though they ran", async () => {
    await run({ task: consumer, request: states((await run()).outcome) });
    writeFileSync(join(root, "src/b"), "changes the key of build, not what it makes");
    const again = await run();
    expect(again.executions).toBe(1);
    expect((await run({ task: consumer, request: states(again.outcome) })).executions).toBe(0);
  });

  it("make a dependent miss when their outputs changed, and the reason names who made them", async () => {
    await run({ task: consumer, request: states((await run()).outcome) });
    writeFileSync(join(root, "src/a"), "two");
    const miss = await run({ task: consumer, request: states((await run()).outcome) });
    expect(miss.outcome).toMatchObject({
      kind: "executed",
      miss: { text: expect.stringContaining("build") },
    });
  });

  it.each<readonly [string, () => void]>([
    ["edited", () => writeFileSync(join(root, "out/result"), "edited")],
    ["made executable", () => chmodSync(join(root, "out/result"), 0o755)],
    ["removed", () => rmSync(join(root, "out/result"))],
    [
      "replaced by a link",
      () => {
        rmSync(join(root, "out/result"));
        symlinkSync("../src/a", join(root, "out/result"));
      },
    ],
  ])(
    "keep a dependent from being stored when what they made is %s while it runs",
    async (_, during) => {
      const request = states((await run()).outcome);
      expect((await run({ task: consumer, request, during })).outcome).toMatchObject({
        stored: false,
        notStored: { reason: "inputsChanged", detail: "its input out/result changed while it ran" },
      });
      const restored = states((await run()).outcome);
      expect(await run({ task: consumer, request: restored })).toMatchObject({
        executions: 1,
        outcome: { stored: true },
      });
    },
  );

  it("keep a dependent from being stored when what they made is made anew while it runs, and comes out the same", async () => {
    const { outcome } = await run();
    const request = states(outcome);
    const made = readFileSync(join(root, "out/result"));
    const during = (): void => {
      rmSync(join(root, "out/result"));
      writeFileSync(join(root, "out/result"), made);
    };
    expect((await run({ task: consumer, request, during })).outcome).toMatchObject({
      stored: false,
      notStored: {
        reason: "inputsChanged",
        detail: expect.stringContaining("its input out/result was written while it ran"),
      },
    });
    expect(await run({ task: consumer, request })).toMatchObject({ outcome: { stored: true } });
  });

  it("may have files beside what they made, which count neither in the key nor for storing", async () => {
    const request = states((await run()).outcome);
    const during = (): void => writeFileSync(join(root, "out/stale"), "");
    expect((await run({ task: consumer, request, during })).outcome).toMatchObject({
      stored: true,
    });
  });

  it("count with their key when they declare no outputs", async () => {
    const check = task({ name: "check", outputs: [] });
    await run({ task: consumer, request: states((await run({ task: check })).outcome) });
    expect(
      (await run({ task: consumer, request: states((await run({ task: check })).outcome) }))
        .executions,
    ).toBe(0);
    writeFileSync(join(root, "src/a"), "two");
    expect(
      (await run({ task: consumer, request: states((await run({ task: check })).outcome) }))
        .executions,
    ).toBe(1);
  });

  it("whose outputs cannot be described make a dependent run each time", async () => {
    const leave = (): void => symlinkSync("/etc/hostname", join(root, "out/link"));
    for (const round of [1, 2]) {
      const { outcome } = await run({ during: leave });
      rmSync(join(root, "out/link"));
      const result = await run({ task: consumer, request: states(outcome) });
      expect(result, `round ${round}`).toMatchObject({
        executions: 1,
        outcome: { stored: false, miss: { reason: "uncachedDependency" } },
      });
    }
  });

  it("that left a process behind have not failed, and make a dependent run each time", async () => {
    const opened = open();
    const { state } = await executeWithoutCache(opened.engine, task(), [], async () => {
      return { succeeded: false, exitCode: 0, durationMs: 1 };
    });
    const cached = await run({ isCut: true });
    for (const dependency of [state, cached.outcome.state])
      expect(
        await run({ opened, task: consumer, request: { dependencies: [dependency] } }),
      ).toMatchObject({
        executions: 1,
        outcome: { stored: false, miss: { text: "build left a process behind" } },
      });
  });

  it("that are not cached and declare no outputs make a dependent run each time", async () => {
    const opened = open();
    const uncached = task({ name: "fetch", inputs: undefined, outputs: undefined });
    const execute = async (): Promise<Execution> => ({
      succeeded: true,
      exitCode: 0,
      durationMs: 1,
    });
    const { state } = await executeWithoutCache(opened.engine, uncached, [], execute);
    for (const round of [1, 2]) {
      const result = await run({ opened, task: consumer, request: { dependencies: [state] } });
      expect(result, `round ${round}`).toMatchObject({
        executions: 1,
        outcome: { miss: { reason: "uncachedDependency" } },
      });
    }
  });

  it("without outputs of their own are as little known as what they ran after", async () => {
    const opened = open();
    const fetch = task({ name: "fetch", inputs: undefined, outputs: undefined });
    const execute = async (): Promise<Execution> => ({
      succeeded: true,
      exitCode: 0,
      durationMs: 1,
    });
    const { state } = await executeWithoutCache(opened.engine, fetch, [], execute);
    const check = task({ name: "check", inputs: [], outputs: [] });
    const lint = task({ name: "lint", inputs: [], outputs: [] });
    for (const round of [1, 2]) {
      const checked = await run({ opened, task: check, request: { dependencies: [state] } });
      const linted = await run({ opened, task: lint, request: states(checked.outcome) });
      const packed = await run({ opened, task: consumer, request: states(linted.outcome) });
      expect(packed, `round ${round}`).toMatchObject({
        executions: 1,
        outcome: {
          stored: false,
          miss: {
            reason: "uncachedDependency",
            text: "lint declares no outputs, and fetch ran, which is not cached and declares no outputs",
          },
        },
      });
    }
  });

  it.each([["read-write"], ["read"]] as const)(
    "without outputs, whose inputs changed while they ran, do not count with their key (mode %s)",
    async (mode) => {
      const check = task({ name: "check", outputs: [] });
      const during = (): void => writeFileSync(join(root, "src/a"), "two");
      const checked = await run({ task: check, during, request: { mode } });
      const packed = await run({ task: consumer, request: states(checked.outcome) });
      expect(packed.outcome).toMatchObject({
        stored: false,
        miss: { text: "check declares no outputs, and its input src/a changed while it ran" },
      });
      writeFileSync(join(root, "src/a"), "one");
      const again = await run({ task: check });
      expect((await run({ task: consumer, request: states(again.outcome) })).outcome).toMatchObject(
        { kind: "executed", stored: true },
      );
    },
  );

  it("may install a tool, which what runs after them has in its key", async () => {
    const { cache } = task();
    const runtime = { cache: { ...cache, runtime: ["./tool"] } };
    const install = (version: string) => (): void =>
      writeFileSync(join(root, "tool"), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    const setup = task({ name: "setup", outputs: [], ...runtime });
    const pack = { ...consumer, ...runtime };
    const opened = open();
    expect(await run({ opened, task: setup, during: install("one") })).toMatchObject({
      outcome: { miss: { reason: "noKey" } },
    });
    const packed = (await run({ opened, task: pack })).outcome;
    expect(packed).toMatchObject({ stored: true });
    install("another")();
    rmSync(join(root, "packed"), { force: true, recursive: true });
    const later = open();
    await run({ opened: later, task: setup, during: install("one") });
    expect((await run({ opened: later, task: pack })).outcome).toMatchObject({
      kind: "hit",
      key: packed.key,
    });
  });

  it("that are not cached but declare outputs count with what they made", async () => {
    const opened = open();
    const uncached = task({ name: "fetch", outputs: ["fetched"] });
    const fetch = async (content: string): Promise<DependencyState> => {
      const execute = async (): Promise<Execution> => {
        writeFileSync(join(root, "fetched"), content);
        return { succeeded: true, exitCode: 0, durationMs: 1 };
      };
      return (await executeWithoutCache(opened.engine, uncached, [], execute)).state;
    };
    await run({ opened, task: consumer, request: { dependencies: [await fetch("same")] } });
    expect(
      (await run({ opened, task: consumer, request: { dependencies: [await fetch("same")] } }))
        .executions,
    ).toBe(0);
    expect(
      (await run({ opened, task: consumer, request: { dependencies: [await fetch("other")] } }))
        .executions,
    ).toBe(1);
  });
});
