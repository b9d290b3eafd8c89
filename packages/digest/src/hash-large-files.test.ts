import { mkdtempSync, rmSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileIndex } from "./create-file-index.ts";
import type { FileIndex } from "./file-index.ts";
import { hashFile } from "./hash-file.ts";
import { hashLargeFiles, largeFileBytes } from "./hash-large-files.ts";

let root: string;
let index: FileIndex;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cuenv-large-"));
  index = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
  writeFileSync(join(root, "small"), "small");
  writeFileSync(join(root, "large"), Buffer.alloc(largeFileBytes + 3, "large file "));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** The paths that were read in turns. */
function watched(): { readonly index: FileIndex; readonly taken: string[] } {
  const taken: string[] = [];
  const digestBy: FileIndex["digestBy"] = (path, take) =>
    index.digestBy(path, (file) => {
      taken.push(path);
      return take(file);
    });
  return { index: { ...index, digestBy }, taken };
}

describe("large files", () => {
  it("are hashed while others have their turns, to what they are at a stretch; small ones are left", async () => {
    const { index: seen, taken } = watched();
    let pauses = 0;
    const pause = async (): Promise<void> => {
      pauses += 1;
      await nextTurn();
    };
    await hashLargeFiles(seen, ["small", "large", "missing"], { pause, signal: undefined });
    expect(taken).toEqual(["large"]);
    expect(pauses).toBeGreaterThan(30);
    expect(index.digest("large")).toEqual(hashFile("sha256", join(root, "large")).digest);
    // Known by now.
    await hashLargeFiles(seen, ["large"], { pause, signal: undefined });
    expect(taken).toEqual(["large"]);
  });

  it("are looked for while others have their turns, however many small ones there are", async () => {
    const paths = Array.from({ length: 100 }, (_, number) => `small-${number}`);
    for (const path of paths) writeFileSync(join(root, path), path);
    let pauses = 0;
    const pause = async (): Promise<void> => void (pauses += 1);
    await hashLargeFiles(index, paths, { pause, signal: undefined });
    expect(pauses).toBe(100);
  });

  it("are not read to their end once a signal came", async () => {
    const controller = new AbortController();
    let pieces = 0;
    const pause = (): undefined => {
      pieces += 1;
      if (pieces === 2) controller.abort(new Error("enough"));
      controller.signal.throwIfAborted();
    };
    const { signal } = controller;
    await expect(hashLargeFiles(index, ["large"], { pause, signal })).rejects.toThrow("enough");
    expect(pieces).toBe(2);
  });

  it("that change or go while they are read are left to who asks for them, which sees what is there then", async () => {
    let pieces = 0;
    const pause = (): undefined => {
      pieces += 1;
      if (pieces === 3) truncateSync(join(root, "large"), largeFileBytes - 1);
    };
    await hashLargeFiles(index, ["large"], { pause, signal: undefined });
    expect(index.digest("large")).toEqual(hashFile("sha256", join(root, "large")).digest);
    index.invalidate("");
    writeFileSync(join(root, "large"), Buffer.alloc(largeFileBytes));
    const remove = (): undefined => rmSync(join(root, "large"), { force: true }) as undefined;
    await hashLargeFiles(index, ["large"], { pause: remove, signal: undefined });
    expect(() => index.digest("large")).toThrow("ENOENT");
    unlinkSync(join(root, "small"));
  });
});
