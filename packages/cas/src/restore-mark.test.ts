import { lstatSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { maxSyncReadBytes } from "./blob-store.ts";
import type { RestoreMarks } from "./mark-files.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

const at = (path: string): string => `${space.root}/${path}`;

/** Captured, removed, and put in place again. */
async function restored(outputs: readonly string[]): Promise<RestoreMarks> {
  const { entries } = await space.capture("", outputs);
  for (const output of outputs) rmSync(at(output), { recursive: true });
  const result = await space.restore("", outputs, entries);
  if (result.kind === "miss" || result.marks === undefined) throw new Error("nothing was restored");
  return result.marks;
}

describe("restored files", () => {
  it("bear a mark each, small and large, alone and in folders; links bear none", async () => {
    space.write("dist/small", "x");
    space.write("dist/sub/tool", "#!/bin/sh\n", 0o755);
    space.write("dist/large", Buffer.alloc(maxSyncReadBytes + 1, "large"));
    space.write("alone", "x");
    symlinkSync("small", at("dist/link"));
    const { files, untilMs } = await restored(["dist", "alone"]);
    // The first moments of a tick of the clock have no room for a mark.
    expect(files.size).toBeGreaterThanOrEqual(3);
    expect(files.has("dist/link")).toBe(false);
    for (const [path, { mtimeMs, inode }] of files) {
      const stat = lstatSync(at(path));
      expect(stat.mtimeMs).toBeCloseTo(mtimeMs, 3);
      expect(stat.ino).toBe(inode);
      expect(stat.ctimeMs).toBeLessThanOrEqual(untilMs);
    }
    expect(new Set(Array.from(files.values(), ({ mtimeMs }) => mtimeMs)).size).toBe(files.size);
  });

  it("bear them in a restore that several threads share", async () => {
    for (let number = 0; number < 300; number += 1)
      space.write(`dist/${number}`, Buffer.alloc(100_000, number));
    const { files } = await restored(["dist"]);
    expect(files.size).toBeGreaterThan(250);
    for (const [path, { mtimeMs }] of files)
      expect(lstatSync(at(path)).mtimeMs).toBeCloseTo(mtimeMs, 3);
  });

  it("are later than what was there before, in the order of their restores", async () => {
    let last = 0;
    for (let round = 0; round < 100; round += 1) {
      space.write("made-before", "x");
      const source = lstatSync(at("made-before")).mtimeMs;
      mkdirSync(at("dist"), { recursive: true });
      writeFileSync(at("dist/a"), `${round}`);
      await restored(["dist"]);
      const { mtimeMs } = lstatSync(at("dist/a"));
      expect(mtimeMs).toBeGreaterThanOrEqual(Math.max(source, last));
      last = mtimeMs;
    }
  });
});
