import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasPreciseTimes } from "@cuenv/cas";
import { createFileIndex, type FileIndex, hashText } from "@cuenv/digest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { preciseDevice } from "./precise-device.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "precise-device-"));
  mkdirSync(join(root, "work/folder"), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** As a process of its own; its clock stands at this moment, so that what it reads is young. */
function indexNow(isPrecise: (device: number) => boolean): FileIndex {
  const now = Date.now();
  return createFileIndex({
    root: join(root, "work"),
    digestFunction: "sha256",
    stateFile: join(root, "state"),
    isPrecise,
    now: () => now,
  });
}

const realOne = (): ((device: number) => boolean) => preciseDevice(() => root);

/** Whether the file and the folder that were just written would be known to the next process. */
function isRecorded(isPrecise: (device: number) => boolean): readonly boolean[] {
  rmSync(join(root, "state"), { force: true });
  writeFileSync(join(root, "work/folder/a"), "one");
  const index = indexNow(isPrecise);
  const hash = index.digest("folder/a").hash;
  const listHash = index.listHash("folder");
  index.save();
  const saved = indexNow(isPrecise).records.saved();
  return [
    saved?.find("folder/a", { kind: "file", hash }) !== undefined,
    saved?.find("folder", { kind: "directory", hash: listHash }) !== undefined,
  ];
}

describe("a device", () => {
  it("is precise if it is that of the folder, and that is; which is tried once, when somebody asks", () => {
    const isPrecise = hasPreciseTimes(root);
    const { dev } = statSync(root);
    let asked = 0;
    const device = preciseDevice(() => {
      asked += 1;
      return root;
    });
    expect(asked).toBe(0);
    expect([device(dev), device(dev + 1), device(dev)]).toEqual([isPrecise, false, isPrecise]);
    expect(asked).toBe(1);
    expect(preciseDevice(() => undefined)(dev)).toBe(false);
    expect(preciseDevice(() => join(root, "missing"))(dev)).toBe(false);
  });

  it("has what was just written recorded, if it is precise", () => {
    expect(isRecorded(() => true)).toEqual([true, true]);
    expect(isRecorded(() => false)).toEqual([false, false]);
  });

  it("never hides a change from the next process, however soon it comes", () => {
    const file = join(root, "work/folder/a");
    for (let round = 0; round < 300; round += 1) {
      writeFileSync(file, "one");
      const first = indexNow(realOne());
      expect(first.digest("folder/a")).toEqual(hashText("sha256", "one"));
      expect(first.list("folder")).toHaveLength(1);
      // At once, as long as the index is being saved, and after it.
      if (round % 2 === 0) first.save();
      writeFileSync(file, "two");
      if (round % 3 === 0) writeFileSync(join(root, "work/folder/b"), "");
      first.save();
      const second = indexNow(realOne());
      expect(second.digest("folder/a")).toEqual(hashText("sha256", "two"));
      expect(second.list("folder")).toHaveLength(round % 3 === 0 ? 2 : 1);
      rmSync(join(root, "work/folder/b"), { force: true });
    }
  });
});
