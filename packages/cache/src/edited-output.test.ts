import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { events, open, root, run, task, taskRequest, useEngineFolder } from "../test/engine-rig.ts";
import { previewTask } from "./preview-task.ts";

useEngineFolder();

describe("files that both the inputs and the outputs of a task match", () => {
  const at = (path: string): string => join(root, path);
  const textOf = (path: string): string => readFileSync(at(path), "utf8");
  const shared = task({ inputs: ["lib/**/*.js"], outputs: ["lib/*.js", "out"] });
  /** As a formatter does. */
  const format = (): void => writeFileSync(at("lib/a.js"), textOf("lib/a.js").toUpperCase());
  const formatted = (tried = shared) => run({ task: tried, during: format });
  const previewed = async () => {
    const { engine, close } = open();
    const preview = await previewTask(engine, taskRequest({ task: shared }), {
      hasInputs: false,
    });
    await close();
    return preview;
  };
  beforeEach(() => {
    mkdirSync(at("lib/deep"), { recursive: true });
    writeFileSync(at("lib/deep/b.js"), "b");
    writeFileSync(at("lib/a.js"), "one");
  });

  it("are not put back over what was written since: the task runs", async () => {
    await formatted();
    expect(await formatted()).toMatchObject({ executions: 0, outcome: { kind: "hit" } });
    expect((await previewed()).outcome).toBe("hit");
    writeFileSync(at("lib/a.js"), "two");
    expect(await previewed()).toMatchObject({
      outcome: "miss",
      text: expect.stringContaining("its output lib/a.js"),
    });
    expect(await formatted()).toMatchObject({
      executions: 1,
      outcome: {
        miss: {
          reason: "editedOutput",
          text: "its output lib/a.js, which its inputs match as well, is not as its last result left it",
        },
        stored: true,
      },
    });
    expect(textOf("lib/a.js")).toBe("TWO");
    expect(await formatted()).toMatchObject({ executions: 0 });
    // Back to what an older result holds: that, too, somebody did.
    writeFileSync(at("lib/a.js"), "ONE");
    expect(await formatted()).toMatchObject({ executions: 1 });
    expect(textOf("lib/a.js")).toBe("ONE");
  });

  it("are not taken away when they are new, nor replaced where there was no result before", async () => {
    await formatted();
    writeFileSync(at("lib/new.js"), "new");
    expect(await formatted()).toMatchObject({ executions: 1, outcome: { kind: "executed" } });
    expect(textOf("lib/new.js")).toBe("new");
    writeFileSync(at("lib/a.js"), "elsewhere");
    // The key is the same, as in another checkout that shares the cache; nothing is remembered of this task.
    const other = await formatted({ ...shared, name: "other" });
    expect(other.outcome).toMatchObject({ miss: { reason: "editedOutput" } });
    expect(textOf("lib/a.js")).toBe("ELSEWHERE");
  });

  it("are replaced where they are as the last result left them, and put back where they are gone", async () => {
    await formatted();
    const before = textOf("lib/a.js");
    writeFileSync(at("lib/deep/b.js"), "changed");
    await run({ task: shared, during: () => writeFileSync(at("lib/a.js"), "of another") });
    writeFileSync(at("lib/deep/b.js"), "b");
    expect(await formatted()).toMatchObject({ executions: 0, outcome: { restoredFiles: 1 } });
    expect(textOf("lib/a.js")).toBe(before);
    rmSync(at("lib/a.js"));
    expect(await formatted()).toMatchObject({ executions: 0, outcome: { restoredFiles: 1 } });
  });

  it("are the task's own in a folder or under a name that the outputs give whole, and where ! or ignoreInputs says so", async () => {
    const { cache } = task();
    for (const own of [
      task({ inputs: ["**/*.js"], outputs: ["lib/", "out"] }),
      task({ inputs: ["**/*.js"], outputs: ["lib/a.js", "out"] }),
      task({ inputs: ["lib/**/*.js", "!lib/*.js"], outputs: ["lib/*.js", "out"] }),
      task({
        inputs: ["lib/**/*.js"],
        outputs: ["lib/*.js", "out"],
        cache: { ...cache, ignoreInputs: ["lib/a.js"] },
      }),
    ]) {
      writeFileSync(at("lib/a.js"), "one");
      await formatted(own);
      writeFileSync(at("lib/a.js"), "two");
      expect(await formatted(own)).toMatchObject({ executions: 0 });
      expect(textOf("lib/a.js")).toBe("ONE");
    }
  });

  it("are told of when they look like sources that the task left alone", async () => {
    const notes = (): unknown[] => events.filter(({ type }) => type === "note");
    // Times of change cannot be set, and have a grain.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await run({ task: shared })).toMatchObject({ executions: 1 });
    expect(notes()).toEqual([
      {
        type: "note",
        task: "build",
        message: expect.stringContaining("its input lib/a.js is stored as one of its outputs"),
      },
    ]);
    events.length = 0;
    rmSync(at("out"), { recursive: true });
    await run({ task: shared, request: { force: true } });
    expect(notes()).toEqual([]);
    expect(existsSync(at("lib/a.js"))).toBe(true);
  });
});
