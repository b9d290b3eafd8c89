import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { base, events, root, run, task, useEngineFolder } from "../test/engine-rig.ts";

useEngineFolder();

describe("a cache folder in the workspace", () => {
  it.each([
    ["in a folder that is an output", "out/cache", ["out"]],
    ["where a glob finds it", ".cache/[a]", ["**/*.tag", "**/TAG*", "**/*TAG", "out"]],
    ["that is the workspace", ".", ["*/*/*", "out"]],
    ["that is named through a link", "../link/out/cache", ["out"]],
  ])("is no output %s: nothing of it is stored or taken away", async (_, place, outputs) => {
    const settings = { cacheDir: join(root, place) };
    const making = { task: task({ outputs }), settings };
    mkdirSync(join(root, "out"), { recursive: true });
    symlinkSync(root, join(base, "link"));
    const first = await run(making);
    expect(first.outcome).toMatchObject({ kind: "executed", stored: true });
    const other = task({ name: "other", inputs: [], outputs: [] });
    await run({ task: other, settings });
    rmSync(join(root, "out/result"));
    writeFileSync(join(root, "out/stale"), "");
    expect(await run(making)).toMatchObject({ executions: 0, outcome: { restoredFiles: 1 } });
    expect(readFileSync(join(root, "out/result"), "utf8")).toBe("made of one");
    expect(existsSync(join(root, "out/stale"))).toBe(false);
    expect(await run({ task: other, settings })).toMatchObject({ executions: 0 });
    expect(events.filter(({ type }) => type === "trouble")).toEqual([]);
  });

  it("is no input, also where it is named through a link", async () => {
    symlinkSync(root, join(base, "link"));
    const settings = { cacheDir: join(base, "link/cache") };
    const everything = { task: task({ inputs: undefined }), settings };
    expect((await run(everything)).outcome).toMatchObject({ kind: "executed", stored: true });
    expect((await run(everything)).outcome.kind).toBe("hit");
  });
});
