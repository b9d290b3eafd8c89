import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ActionStore } from "@cuenv/action-cache";
import { beforeEach, describe, expect, it } from "vitest";
import {
  base,
  events,
  open,
  root,
  run,
  task,
  taskRequest,
  useEngineFolder,
} from "../test/engine-rig.ts";
import { type FakeRemote, fakeRemote, machine } from "../test/fake-remote.ts";
import type { OpenedCacheEngine } from "./open-cache-engine.ts";
import { previewTask, type TaskPreview } from "./preview-task.ts";

useEngineFolder();

let remote: FakeRemote;
beforeEach(() => {
  remote = fakeRemote();
});

const clean = (): void => rmSync(join(root, "out"), { recursive: true, force: true });
const removeBlobs = (name: string): void =>
  rmSync(join(base, name, "v1/cas"), { recursive: true, force: true });

async function previewed(
  { engine, close }: OpenedCacheEngine = open(),
  hasInputs = true,
): Promise<TaskPreview> {
  const preview = await previewTask(engine, taskRequest(), { hasInputs });
  await close();
  return preview;
}

/** Long after the last change: what was just written vouches for nothing by its stat. */
const later = (readOnly = true): OpenedCacheEngine =>
  open({}, readOnly, {}, undefined, () => Date.now() + 60_000);

describe("what is said before a run that knows the key", () => {
  it("is what is said without knowing it", async () => {
    await run({ opened: later(false) });
    await run({ opened: later(false) });
    const known = later();
    const select = (): never => {
      throw new Error("it is not known");
    };
    const preview = await previewed({ ...known, engine: { ...known.engine, select } }, false);
    const computed = await previewed(later());
    expect(preview).toMatchObject({ outcome: "hit", key: computed.key, text: computed.text });
    for (const part of ["causes", "result", "changes", "tier", "state"] as const)
      expect(preview[part], part).toEqual(computed[part]);
    expect(preview.keyInputs()).toBeUndefined();
    expect(computed.keyInputs()).toBeDefined();
  });

  it("says what differs from another result, and what would be restored", async () => {
    await run({ opened: later(false) });
    writeFileSync(join(root, "src/a"), "another");
    for (let runs = 0; runs < 3; runs += 1) await run({ opened: later(false) });
    expect(await previewed(later(), false)).toMatchObject({
      outcome: "hit",
      text: "src/a changed",
    });
    clean();
    const { changes } = await previewed(later(), false);
    expect(changes?.writes.map(({ path }) => path)).toEqual(["out", "out/result"]);
  });
});

describe("what is said before a run", () => {
  it("is a miss where a link is in place of a folder above the outputs, as in the run", async () => {
    const deep = taskRequest({ task: task({ outputs: ["out/result"] }) });
    const look = async (): Promise<TaskPreview> => {
      const { engine, close } = open();
      const preview = await previewTask(engine, deep, { hasInputs: true });
      await close();
      return preview;
    };
    await run({ task: deep.task });
    renameSync(join(root, "out"), join(base, "elsewhere"));
    expect(await look()).toMatchObject({ outcome: "hit" });
    symlinkSync(join(base, "elsewhere"), join(root, "out"));
    const { outcome, text } = await look();
    const ran = await run({ task: deep.task });
    expect({ outcome, text }).toEqual({
      outcome: "miss",
      text: "its outputs could not be restored",
    });
    expect(ran.outcome).toMatchObject({ kind: "executed", miss: { text } });
  });

  it("is a miss where the blobs of a result are gone that a hit would read", async () => {
    await run();
    clean();
    expect(await previewed()).toMatchObject({ outcome: "hit", tier: "disk" });
    removeBlobs("cache");
    const text = "part of its stored result is gone";
    expect(await previewed()).toMatchObject({ outcome: "miss", text });
    const { executions, outcome } = await run();
    expect(executions).toBe(1);
    expect(outcome).toMatchObject({ miss: { reason: "incomplete", text } });
  });

  it("is a hit where outputs are gone from the store that are in place, or that the remote cache has", async () => {
    await run({ opened: machine("one", remote.options()) });
    clean();
    removeBlobs("one");
    const tier = "cache.example:443";
    expect(await previewed(machine("one", remote.options()))).toMatchObject({
      outcome: "hit",
      tier,
    });
    const { executions, outcome } = await run({ opened: machine("one", remote.options()) });
    expect(executions).toBe(0);
    expect(outcome).toMatchObject({ kind: "hit", tier });
  });

  it("is why the result that the remote cache has would not be used", async () => {
    await run({ opened: machine("one", remote.options()) });
    clean();
    const stranger = () =>
      open(
        { cacheDir: join(base, "two") },
        false,
        { stateDirectory: join(base, "stranger") },
        remote.options({ writes: false }),
      );
    events.length = 0;
    expect(await previewed(stranger())).toMatchObject({
      outcome: "miss",
      text: expect.stringContaining("its stored result is not trusted: the key ed25519-"),
    });
    expect(events).toEqual([]);
  });

  it("is that it was never made where the remote cache has nothing", async () => {
    const get: ActionStore["get"] = () => Promise.resolve(undefined);
    const empty = remote.options({ tier: { actions: { ...remote.actions, get } } });
    expect(await previewed(machine("one", empty))).toMatchObject({
      outcome: "miss",
      text: "no result stored yet",
    });
  });
});
