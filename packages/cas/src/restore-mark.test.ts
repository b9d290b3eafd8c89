import { randomBytes } from "node:crypto";
import {
  lstatSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { maxSyncReadBytes } from "./blob-store.ts";
import { markFiles, type RestoreMarks } from "./mark-files.ts";

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

/** Large enough to be worth it. */
const worth = (fill: number | string): Buffer => Buffer.alloc(100_000, fill);

describe("restored files", () => {
  it("bear a mark each in folders that are put in place as a whole; small ones bear none, nor do links, and who is renamed by itself", async () => {
    space.write("dist/some", worth("a"));
    space.write("dist/sub/tool", worth("b"), 0o755);
    space.write("dist/large", Buffer.alloc(maxSyncReadBytes + 1, "large"));
    space.write("dist/small", "x");
    space.write("alone", worth("c"));
    symlinkSync("some", at("dist/link"));
    const marks = await restored(["dist", "alone"]);
    const marked = ["dist/large", "dist/some", "dist/sub/tool"];
    expect([...marks.keys()].toSorted()).toEqual(marked);
    for (const [path, mark] of marks) {
      const { mtimeMs, ctimeMs, ino: inode } = lstatSync(at(path));
      expect(mark).toEqual({ mtimeMs, ctimeMs, inode });
    }
    expect(new Set(Array.from(marks.values(), ({ mtimeMs }) => mtimeMs)).size).toBe(marks.size);
  });

  it("bear none where their folder was there: an edit between the rename and a look would pass for none", async () => {
    space.write("out/mine.js", worth("a"));
    space.write("out/sub/mine.js", worth("b"));
    space.write("dist/a", worth("c"));
    space.write("dist/b", worth("d"));
    const outputs = ["out/**/*.js", "dist"];
    const { entries } = await space.capture("", outputs);
    space.write("out/other.txt", "other");
    for (const path of ["out/mine.js", "out/sub/mine.js", "dist/a"]) rmSync(at(path));
    const result = await space.restore("", outputs, entries);
    expect(result).toMatchObject({ restoredFiles: 3, marks: new Map() });
  });

  it("bear them in a restore that several threads share", async () => {
    for (let number = 0; number < 300; number += 1) space.write(`dist/${number}`, worth(number));
    const marks = await restored(["dist"]);
    // What has no room in a tick of the clock has no mark.
    expect(marks.size).toBeGreaterThan(250);
    for (const [path, { mtimeMs }] of marks) expect(lstatSync(at(path)).mtimeMs).toBe(mtimeMs);
  });

  it("are later than what was there before, in the order of their restores", async () => {
    let last = 0;
    for (let round = 0; round < 100; round += 1) {
      space.write("made-before", "x");
      const source = lstatSync(at("made-before")).mtimeMs;
      space.write("dist/a", worth(round));
      await restored(["dist"]);
      const { mtimeMs } = lstatSync(at("dist/a"));
      expect(mtimeMs).toBeGreaterThanOrEqual(Math.max(source, last));
      last = mtimeMs;
    }
  });

  it("are given up in the middle of it, with nothing changed", async () => {
    for (let number = 0; number < 600; number += 1) space.write(`dist/${number}`, worth(number));
    const { entries } = await space.capture("", ["dist"]);
    rmSync(at("dist"), { recursive: true });
    const controller = new AbortController();
    const files = entries.flatMap((entry) =>
      entry.kind === "file" ? [{ entry, target: at(`staged-${entry.path.slice(5)}`) }] : [],
    );
    for (const { target, entry } of files)
      writeFileSync(target, worth(Number(entry.path.slice(5))));
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(
      (async () => {
        // It is heard as soon as others have their turn.
        for (;;) await markFiles(files, controller.signal);
      })(),
    ).rejects.toThrow("enough");
  });

  it.each([
    ["in a hole", 9_000_000, 24 * 1024 * 1024],
    ["in a hole of exactly a mebibyte", 2 * 1024 * 1024, 3 * 1024 * 1024],
    ["with nothing but a hole", 0, 5 * 1024 * 1024],
  ])("are what they were, and as sparse, when they end %s", async (_, bytes, size) => {
    space.write("dist/sparse", randomBytes(bytes));
    truncateSync(at("dist/sparse"), size);
    const before = readFileSync(at("dist/sparse"));
    await restored(["dist"]);
    expect(readFileSync(at("dist/sparse")).equals(before)).toBe(true);
    expect(statSync(at("dist/sparse")).blocks * 512).toBeLessThan(bytes + 1.1 * 1024 * 1024);
  });
});
