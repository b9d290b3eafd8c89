import { lstatSync, utimesSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFileIndex } from "./create-file-index.ts";
import type { FileIndex } from "./file-index.ts";
import { hashText } from "./hasher.ts";
import { bearsMark, markedMtimeMs } from "./write-mark.ts";

/** What a file is not: who gives this digest has believed what it was told, and not read the file. */
const told = { hash: "0".repeat(64), sizeBytes: 3 };

let root: string;
let file: string;
const stateFile = (): string => join(root, "state");

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "write-mark-"));
  file = join(root, "a");
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** Its clock stands at this moment, so that no stat that is not vouched for otherwise is old enough to be recorded. */
function indexNow(): FileIndex {
  const now = Date.now();
  return createFileIndex({
    root,
    digestFunction: "sha256",
    stateFile: stateFile(),
    now: () => now,
  });
}

function setMtime(ms: number): void {
  utimesSync(file, ms / 1000, ms / 1000);
}

function writeMarked(): { readonly mtimeMs: number; readonly untilMs: number } {
  writeFileSync(file, "one");
  const mtimeMs = markedMtimeMs(Date.now());
  setMtime(mtimeMs);
  return { mtimeMs, untilMs: Date.now() + 1 };
}

describe("a file that its writer marked", () => {
  it("is recorded although it is young, and found by the next process", () => {
    const mark = writeMarked();
    const first = indexNow();
    first.remember("a", told, mark);
    expect(first.digest("a")).toEqual(told);
    first.save();
    expect(indexNow().digest("a")).toEqual(told);
  });

  it("is not recorded where it was not looked at, nor without a mark", () => {
    const mark = writeMarked();
    const unseen = indexNow();
    unseen.remember("a", told, mark);
    unseen.save();
    expect(indexNow().digest("a")).toEqual(hashText("sha256", "one"));
    const unmarked = indexNow();
    unmarked.remember("a", told);
    expect(unmarked.digest("a")).toEqual(told);
    unmarked.save();
    expect(indexNow().digest("a")).toEqual(hashText("sha256", "one"));
  });

  it("is what another process said, as long as nobody wrote to it", () => {
    const mark = writeMarked();
    const index = indexNow();
    index.rememberMarked("a", told, mark);
    expect(index.digest("a")).toEqual(told);
    // Also where a task ran meanwhile, which may have written to anything.
    index.invalidate("");
    index.rememberMarked("a", told, mark);
    index.invalidate("");
    expect(index.digest("a")).toEqual(told);
  });

  it.each<[string, (mark: { readonly mtimeMs: number }) => Promise<void> | void]>([
    ["was written to at once", () => writeFileSync(file, "two")],
    [
      "was written to, and given the mtime of before",
      async ({ mtimeMs }) => {
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
        writeFileSync(file, "two");
        setMtime(mtimeMs);
      },
    ],
    [
      "has another size, with the mtime of before",
      ({ mtimeMs }) => {
        writeFileSync(file, "three");
        setMtime(mtimeMs);
      },
    ],
    ["has its mtime a microsecond later", ({ mtimeMs }) => setMtime(mtimeMs + 0.002)],
  ])("is read when it %s", async (_, change) => {
    const mark = writeMarked();
    await change(mark);
    const index = indexNow();
    index.rememberMarked("a", told, mark);
    expect(index.digest("a")).not.toEqual(told);
  });

  it("cannot get its mtime from a write that comes later, whatever the clock's tick is", () => {
    const ticks = fc.constantFrom(1, 3.333_333, 4, 10);
    const moments = fc.double({ min: 1.6e12, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(moments, ticks, fc.nat(1000), (now, tick, later) => {
        const mtimeMs = markedMtimeMs(now);
        const written = Math.floor(now / tick) * tick + later * tick;
        expect(mtimeMs).toBeLessThan(written);
        expect(now - mtimeMs).toBeLessThan(13);
      }),
    );
  });

  it("bears no mark where the file system keeps milliseconds or less", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_600_000_000_000, max: 4_000_000_000_000 }), (now) => {
        const mark = { mtimeMs: markedMtimeMs(now), untilMs: now + 1 };
        for (const grain of [1, 10, 1000, 2000])
          for (const round of [Math.floor, Math.round, Math.ceil]) {
            const mtimeMs = round(mark.mtimeMs / grain) * grain;
            expect(bearsMark({ mtimeMs, ctimeMs: now }, mark)).toBe(false);
          }
      }),
    );
  });

  it("bears it on this file system, to the microsecond", () => {
    for (let round = 0; round < 200; round += 1) {
      const mark = writeMarked();
      expect(bearsMark(lstatSync(file), mark)).toBe(true);
    }
  });
});
