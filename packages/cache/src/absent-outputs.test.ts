import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createMemoryBlobStore } from "@cuenv/cas";
import { beforeEach, describe, expect, it } from "vitest";
import {
  base,
  events,
  root,
  type Run,
  run,
  task,
  typesOf,
  useEngineFolder,
} from "../test/engine-rig.ts";
import { type FakeRemote, fakeRemote, machine } from "../test/fake-remote.ts";
import { withOutputs } from "./absent-outputs.ts";
import { executeWithoutCache } from "./execute-without-cache.ts";
import type { RemoteOptions } from "./remote-tier.ts";
import type { DependencyState } from "./task-request.ts";

useEngineFolder();

let remote: FakeRemote;
beforeEach(() => {
  remote = fakeRemote();
});

const library = task({ name: "library", inputs: ["src"], outputs: ["out"] });
const program = task({ name: "program", inputs: ["src"], outputs: ["bin"] });
const release = task({ name: "release", inputs: ["src"], outputs: ["zip"] });
const result = (): string => join(root, "out/result");
const clean = (): void => rmSync(join(root, "out"), { recursive: true, force: true });

async function hit(
  opened: ReturnType<typeof machine>,
  of: typeof library,
  dependencies: readonly DependencyState[] = [],
): Promise<Run> {
  return run({
    opened: keptOpen(opened),
    task: of,
    request: { dependencies, download: "whenNeeded" },
  });
}

/** Several tasks in one run. */
function keptOpen(opened: ReturnType<typeof machine>): ReturnType<typeof machine> {
  return {
    ...opened,
    close: () => Promise.resolve({} as Awaited<ReturnType<typeof opened.close>>),
  };
}

/** Another machine ran all three; its results are in the remote cache. */
async function storedElsewhere(): Promise<void> {
  const opened = machine("one", remote.options());
  const { outcome: first } = await run({ opened: keptOpen(opened), task: library });
  const { outcome: second } = await run({
    opened: keptOpen(opened),
    task: program,
    request: { dependencies: [first.state] },
    during: () => {},
  });
  await run({ opened: keptOpen(opened), task: release, request: { dependencies: [second.state] } });
  await opened.close();
  clean();
  rmSync(join(root, "bin"), { recursive: true, force: true });
  events.length = 0;
}

describe("outputs that are left in the remote cache until they are needed", () => {
  it("are not fetched for a hit, whose output is given and whose dependents hit by the same keys", async () => {
    await storedElsewhere();
    const opened = machine("two", remote.options());
    const first = await hit(opened, library);
    expect(first).toMatchObject({
      executions: 0,
      printed: "made\n",
      outcome: { kind: "hit", isOutputLeft: true, restoredFiles: 0 },
    });
    const second = await hit(opened, program, [first.outcome.state]);
    expect(second).toMatchObject({ executions: 0, outcome: { kind: "hit" } });
    expect(existsSync(result())).toBe(false);
    await opened.close();
    // What is not all here is no local hit.
    const later = await run({
      opened: machine("two", remote.options({ reads: false })),
      task: library,
    });
    expect(later.executions).toBe(1);
  });

  it("are fetched for one that is asked for itself", async () => {
    await storedElsewhere();
    const named = await run({
      opened: machine("two", remote.options()),
      task: library,
      request: { download: "now" },
    });
    expect(named.outcome).toMatchObject({ isOutputLeft: false, restoredFiles: 1 });
    expect(existsSync(result())).toBe(true);
  });

  it("are restored at once when all of them are on this machine", async () => {
    await storedElsewhere();
    await run({ opened: machine("two", remote.options()), task: library });
    clean();
    const again = await hit(machine("two", remote.options()), library);
    expect(again.outcome).toMatchObject({ isOutputLeft: false, restoredFiles: 1, tier: "disk" });
  });

  it("are on disk before a task that depends on them runs, also through another one, and are fetched once", async () => {
    await storedElsewhere();
    const opened = machine("two", remote.options());
    const first = await hit(opened, library);
    const second = await hit(opened, program, [first.outcome.state]);
    const changed = task({ ...release, action: { kind: "argv", argv: ["other"] } });
    events.length = 0;
    const states = [second.outcome.state, first.outcome.state];
    const third = await run({
      opened: keptOpen(opened),
      task: changed,
      request: { dependencies: states, argv: ["other"] },
      during: () => expect(readFileSync(result(), "utf8")).toBe("made of one"),
    });
    expect(third).toMatchObject({ executions: 1, outcome: { kind: "executed", stored: true } });
    expect(typesOf(events).filter((type) => type === "restored")).toHaveLength(1);
    // The hits were counted when they were found.
    expect(typesOf(events)).not.toContain("hit");
    await opened.close();
  });

  it("are on disk before a task that is not cached runs", async () => {
    await storedElsewhere();
    const opened = machine("two", remote.options());
    const { outcome } = await hit(opened, library);
    const uncached = task({ name: "serve", outputs: undefined });
    await executeWithoutCache(opened.engine, uncached, [outcome.state], () => {
      expect(existsSync(result())).toBe(true);
      return Promise.resolve({ succeeded: true, exitCode: 0, durationMs: 1 });
    });
    await opened.close();
  });

  it("are fetched for the key of a task that reads them though it does not depend on their task itself", async () => {
    const reads = task({ ...release, inputs: ["src", "out/**"] });
    const inOneRun = async (
      name: string,
      options: RemoteOptions,
      download: "now" | "whenNeeded",
    ): Promise<Run> => {
      const opened = machine(name, options);
      const request = (dependencies: readonly DependencyState[]) => ({ dependencies, download });
      const one = await run({ opened: keptOpen(opened), task: library, request: request([]) });
      const two = await run({
        opened: keptOpen(opened),
        task: program,
        request: request([one.outcome.state]),
      });
      return run({ opened, task: reads, request: request([two.outcome.state]) });
    };
    const made = await inOneRun("one", remote.options(), "now");
    clean();
    const found = await inOneRun("two", remote.options(), "whenNeeded");
    expect(found.outcome.key).toBe(made.outcome.key);
    expect(found.executions).toBe(0);
  });

  it("are there for tasks that only come after theirs: for the key of one that reads them, and before another runs", async () => {
    const reads = task({ ...release, inputs: ["src", "out/**"] });
    const first = machine("one", remote.options());
    await run({ opened: keptOpen(first), task: library });
    const made = await run({ opened: first, task: reads });
    clean();
    const opened = machine("two", remote.options());
    const left = await hit(opened, library);
    const between = task({ name: "between", inputs: ["src"], outputs: [] });
    const after = [left.outcome.state];
    const second = machine("between", remote.options());
    await run({ opened: second, task: between, request: { argv: ["between"] } });
    clean();
    const request = { after, argv: ["between"], download: "whenNeeded" } as const;
    const passed = await run({ opened: keptOpen(opened), task: between, request });
    expect(passed).toMatchObject({ executions: 0 });
    expect(existsSync(result())).toBe(false);
    const last = { after: [passed.outcome.state] };
    const found = await run({ opened: keptOpen(opened), task: reads, request: last });
    expect(found).toMatchObject({ executions: 0, outcome: { key: made.outcome.key } });
    clean();
    const again = machine("three", remote.options());
    const uncached = task({ name: "serve", outputs: undefined });
    const { outcome } = await hit(again, library);
    const look = (): boolean => existsSync(result());
    let wasThere = false;
    await executeWithoutCache(
      again.engine,
      uncached,
      [],
      () => {
        wasThere = look();
        return Promise.resolve({ succeeded: true, exitCode: 0, durationMs: 1 });
      },
      [outcome.state],
    );
    expect(wasThere).toBe(true);
    clean();
    const cached = machine("four", remote.options());
    const absent = (await hit(cached, library)).outcome.state;
    events.length = 0;
    await run({
      opened: keptOpen(cached),
      task: task({ name: "other", inputs: [], outputs: [] }),
      request: { after: [absent], argv: ["other"] },
      during: () => expect(events.map(({ type }) => type)).toContain("restored"),
    });
    for (const each of [opened, again, cached]) await each.close();
  });

  it("are made anew when the remote cache has lost them; a failure of that is the run's", async () => {
    await storedElsewhere();
    const nothing = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1 });
    let isLost = false;
    const losing = {
      ...remote.blobs,
      readSync: () => undefined,
      read: (...of: Parameters<typeof nothing.read>) =>
        (isLost && of[0].sizeBytes > 5 ? nothing : remote.blobs).read(...of),
    };
    const message = expect.stringContaining("failed with exit code 3") as string;
    for (const [exitCode, isCut, expected] of [
      [0, false, { task: "library" }],
      [0, true, { task: "library", hasLeftProcess: true }],
      [3, false, { code: "RUN_DEPENDENCY", message }],
    ] as const) {
      isLost = false;
      const opened = machine(
        `losing ${exitCode} ${isCut}`,
        remote.options({ tier: { blobs: losing } }),
      );
      let executions = 0;
      const first = await run({
        opened: keptOpen(opened),
        task: library,
        request: { download: "whenNeeded" },
        exitCode,
        isCut,
        during: () => (executions += 1),
      });
      expect(first.outcome).toMatchObject({ isOutputLeft: true });
      isLost = true;
      const bringing = withOutputs([first.outcome.state]);
      const brought = await bringing.catch((error: unknown) => [error]);
      expect(brought).toMatchObject([expected]);
      expect(executions).toBe(1);
      expect(existsSync(result())).toBe(true);
      clean();
      await opened.close();
    }
    expect(existsSync(join(base, "two"))).toBe(false);
  });

  it("that come out otherwise when they are made anew give their dependents another key", async () => {
    await storedElsewhere();
    const opened = machine("two", remote.options());
    const { outcome } = await hit(opened, library);
    const { absent, outputs } = outcome.state;
    const other = { ...outcome.state, absent: undefined, outputs: outputs?.slice(0, 1) };
    const state = {
      ...outcome.state,
      absent: absent && { ...absent, bring: () => Promise.resolve(other) },
    };
    const keyOf = async (dependency: DependencyState): Promise<unknown> => {
      const changed = task({ ...program, action: { kind: "argv", argv: ["other"] } });
      const request = { dependencies: [dependency], argv: ["other"], mode: "read" as const };
      return (await run({ opened: keptOpen(opened), task: changed, request })).outcome.key;
    };
    expect(await keyOf(state)).toBe(await keyOf(other));
    await opened.close();
  });
});
