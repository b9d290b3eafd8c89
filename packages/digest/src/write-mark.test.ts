import { lstatSync, mkdirSync, renameSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileIndex } from "./create-file-index.ts";
import type { FileIndex } from "./file-index.ts";
import { hashText } from "./hasher.ts";
import { bearsMark, createMarkClock, type WriteMark } from "./write-mark.ts";

/** What no file here is: who gives this digest has believed what it was told, and not read the file. */
const told = { hash: "0".repeat(64), sizeBytes: 3 };

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "write-mark-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Its clock stands at this moment, so that no stat that is not vouched for otherwise is old enough to be recorded. */
function indexNow(): FileIndex {
  const now = Date.now();
  const stateFile = join(root, "state");
  return createFileIndex({ root, digestFunction: "sha256", stateFile, now: () => now });
}

function setMtime(path: string, ms: number): void {
  utimesSync(join(root, path), ms / 1000, ms / 1000);
}

const markClock = createMarkClock(Date.now);

function writeMarked(path: string, text = "one"): WriteMark {
  writeFileSync(join(root, path), text);
  const { mtimeMs, isMark } = markClock(stampOf(path).mtimeMs);
  expect(isMark).toBe(true);
  setMtime(path, mtimeMs);
  return stampOf(path);
}

function stampOf(path: string): WriteMark {
  const { mtimeMs, ctimeMs, ino: inode } = lstatSync(join(root, path));
  return { mtimeMs, ctimeMs, inode };
}

/** Until the kernel's clock has gone on. */
function tick(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}

describe("a file that its writer marked", () => {
  it("is recorded although it is young, and found by the next process", () => {
    const mark = writeMarked("a");
    const first = indexNow();
    first.remember("a", told, mark);
    expect(first.digest("a")).toEqual(told);
    first.save();
    expect(indexNow().digest("a")).toEqual(told);
  });

  it("is not recorded where it was not looked at, nor without a mark", () => {
    const unseen = indexNow();
    unseen.remember("a", told, writeMarked("a"));
    unseen.save();
    expect(indexNow().digest("a")).toEqual(hashText("sha256", "one"));
    const unmarked = indexNow();
    unmarked.remember("a", told);
    expect(unmarked.digest("a")).toEqual(told);
    unmarked.save();
    expect(indexNow().digest("a")).toEqual(hashText("sha256", "one"));
  });

  it("is what was said of it after a task ran, too", () => {
    const mark = writeMarked("a");
    const index = indexNow();
    index.remember("a", told, mark);
    index.invalidate("");
    expect(index.digest("a")).toEqual(told);
  });

  it.each<[string, (mark: WriteMark) => Promise<void> | void]>([
    ["was written to at once", () => writeFileSync(join(root, "a"), "two")],
    [
      "was written to at once, and given the mtime of another one",
      () => {
        writeFileSync(join(root, "a"), "two");
        setMtime("a", writeMarked("b").mtimeMs);
      },
    ],
    [
      "was written to, and given the mtime of before",
      async ({ mtimeMs }) => {
        await tick();
        writeFileSync(join(root, "a"), "two");
        setMtime("a", mtimeMs);
      },
    ],
    [
      "has another size, with the mtime of before",
      ({ mtimeMs }) => {
        writeFileSync(join(root, "a"), "three");
        setMtime("a", mtimeMs);
      },
    ],
    [
      "is another one, with the mtime of before",
      ({ mtimeMs }) => {
        writeFileSync(join(root, "b"), "two");
        setMtime("b", mtimeMs);
        renameSync(join(root, "b"), join(root, "a"));
      },
    ],
  ])("is read when it %s", async (_, change) => {
    const mark = writeMarked("a");
    await change(mark);
    const index = indexNow();
    index.remember("a", told, mark);
    expect(index.digest("a")).not.toEqual(told);
  });

  it("is read when the folder that it is in has changed its name with another one", () => {
    for (const folder of ["p", "q"]) mkdirSync(join(root, folder));
    const marks = ["p", "q"].map((folder) => writeMarked(`${folder}/m`, folder.repeat(3)));
    renameSync(join(root, "p"), join(root, "t"));
    renameSync(join(root, "q"), join(root, "p"));
    renameSync(join(root, "t"), join(root, "q"));
    const index = indexNow();
    for (const [at, folder] of ["p", "q"].entries()) index.remember(`${folder}/m`, told, marks[at]);
    expect(index.digest("p/m")).toEqual(hashText("sha256", "qqq"));
    expect(index.digest("q/m")).toEqual(hashText("sha256", "ppp"));
  });

  it("bears the mark on this file system, and no other file does", () => {
    const marks = Array.from({ length: 200 }, () => writeMarked("a"));
    const now = stampOf("a");
    const bearing = marks.filter((mark) => bearsMark({ ...now, ctimeMs: mark.ctimeMs }, mark));
    expect(bearing).toEqual([marks.at(-1)]);
  });
});

describe("the mtimes that mark files", () => {
  const ticks = fc.constantFrom(1, 3.333_333, 4, 10);
  const moments = fc.double({ min: 1.6e12, max: 4e12, noNaN: true });
  /** How long after one another files are written. */
  const pauses = fc.array(fc.double({ min: 0.002, max: 30, noNaN: true }), {
    minLength: 1,
    maxLength: 60,
  });

  it("are later than what was written before, and left by no write that comes later, whatever the clock's tick is", () => {
    fc.assert(
      fc.property(
        moments,
        ticks,
        pauses,
        fc.double({ max: 50, min: 0, noNaN: true }),
        (start, tickMs, all, later) => {
          const give = createMarkClock(() => now);
          let now = start;
          let before = 0;
          const marks: {
            readonly mtimeMs: number;
            readonly writtenMs: number;
            readonly now: number;
          }[] = [];
          for (const pause of all) {
            now += pause;
            const writtenMs = Math.floor(now / tickMs) * tickMs;
            const { mtimeMs, isMark } = give(writtenMs);
            expect(mtimeMs).toBeGreaterThanOrEqual(writtenMs);
            expect(mtimeMs).toBeGreaterThanOrEqual(before);
            before = mtimeMs;
            if (!isMark) continue;
            marks.push({ mtimeMs, writtenMs, now });
          }
          for (const [at, { mtimeMs, writtenMs, now: then }] of marks.entries()) {
            expect(mtimeMs).toBeGreaterThan(Math.max(writtenMs, marks[at - 1]?.mtimeMs ?? 0));
            expect(mtimeMs).toBeLessThan(then);
            // By the clock's tick; the very moment is later.
            const written = Math.floor((then + later) / tickMs) * tickMs;
            expect(Math.abs(written - mtimeMs)).toBeGreaterThan(0.0005);
          }
        },
      ),
    );
  });

  it("are others for each file, and later than those before in their tick, when an older file comes in between", () => {
    const now = 1_700_000_000_100.5;
    const give = createMarkClock(() => now);
    const [older, newer] = [now - 20.25, now - 10.25];
    const given = { older: [older], newer: [newer] };
    for (let file = 0; file < 40; file += 1) {
      given.older.push(give(older).mtimeMs);
      given.newer.push(give(newer).mtimeMs);
    }
    for (const all of [given.older, given.newer]) {
      expect(all).toEqual(all.toSorted((left, right) => left - right));
      expect(new Set(all).size).toBe(all.length);
      expect((all.at(-1) ?? 0) - (all[0] ?? 0)).toBeLessThan(1);
    }
  });

  it("are none where the file system keeps whole milliseconds or less", () => {
    const now = Date.now();
    const give = createMarkClock(() => now + 5);
    for (const grain of [1, 10, 1000, 2000])
      expect(give(Math.floor(now / grain) * grain).isMark).toBe(false);
  });

  it("are none where the file system's clock is ahead, which is found out once", () => {
    let asked = 0;
    const give = createMarkClock(() => {
      asked += 1;
      return 1_700_000_000_000;
    });
    expect(give(1_700_000_000_003.5)).toEqual({ mtimeMs: 1_700_000_000_003.5, isMark: false });
    const first = asked;
    for (let file = 1; file <= 100; file += 1) give(1_700_000_000_003.5 + file);
    expect(asked - first).toBe(100);
  });
});
