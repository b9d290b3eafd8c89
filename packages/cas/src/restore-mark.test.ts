import { lstatSync, rmSync, symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { maxSyncReadBytes } from "./blob-store.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

const at = (path: string): string => `${space.root}/${path}`;

describe("restored files", () => {
  it("bear one mark, a moment before they were put in place, by which the index knows them", async () => {
    space.write("dist/small", "x");
    space.write("dist/sub/tool", "#!/bin/sh\n", 0o755);
    space.write("dist/large", Buffer.alloc(maxSyncReadBytes + 1, "large"));
    space.write("alone", "x");
    symlinkSync("small", at("dist/link"));
    const outputs = ["dist", "alone"];
    const { entries } = await space.capture("", outputs);
    for (const output of outputs) rmSync(at(output), { recursive: true });
    const before = Date.now();
    const result = await space.restore("", outputs, entries);
    if (result.kind === "miss" || result.mark === undefined) throw new Error("it has no mark");
    const { mtimeMs, untilMs } = result.mark;
    expect(before - mtimeMs).toBeLessThan(13);
    for (const path of ["dist/small", "dist/sub/tool", "dist/large", "alone"]) {
      const stat = lstatSync(at(path));
      expect(stat.mtimeMs).toBeCloseTo(mtimeMs, 3);
      expect(stat.ctimeMs).toBeLessThanOrEqual(untilMs);
    }
    rmSync(at("dist/small"));
    const again = await space.restore("", outputs, entries);
    expect(again).toMatchObject({ restoredFiles: 1, unchangedFiles: 3 });
    expect(lstatSync(at("dist/sub/tool")).mtimeMs).toBeCloseTo(mtimeMs, 3);
    expect(await space.restore("", outputs, entries)).toMatchObject({ mark: undefined });
  });
});
