import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hasPreciseTimes } from "./precise-times.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "precise-times-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The times of a change, as a clock with such ticks (ms) gives them; time goes on by `pauseMs` with each question. */
function ticking(
  tickMs: number,
  pauseMs: number,
): (path: string) => { mtimeMs: number; ctimeMs: number } {
  let now = 1_700_000_000_000.3;
  return () => {
    now += pauseMs;
    const ms = Math.floor(now / tickMs) * tickMs;
    return { mtimeMs: ms, ctimeMs: ms };
  };
}

describe("whether a file system tells quick changes apart", () => {
  it("is what five hundred of them show, and leaves nothing behind", () => {
    const file = join(folder, "file");
    const descriptor = openSync(file, "w");
    let told = 0;
    let before = statSync(file).ctimeMs;
    for (let change = 0; change < 500; change += 1) {
      writeSync(descriptor, "x", 0);
      const { ctimeMs } = statSync(file);
      if (ctimeMs !== before) told += 1;
      before = ctimeMs;
    }
    closeSync(descriptor);
    rmSync(file);
    expect(hasPreciseTimes(folder)).toBe(told === 500);
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is so for times of a change's own, and not for ticks, however slowly the questions come", () => {
    expect(hasPreciseTimes(folder, ticking(0.000_1, 0.02))).toBe(true);
    for (const tickMs of [1, 3.333, 4, 10, 1000, 2000])
      for (const pauseMs of [0.001, 0.02, 0.3, 1, 5, 50, 3000])
        expect(hasPreciseTimes(folder, ticking(tickMs, pauseMs)), `${tickMs} ${pauseMs}`).toBe(
          false,
        );
  });

  it("is not where one of the times stands still, nor where nothing can be made", () => {
    const fine = ticking(0.000_1, 0.02);
    expect(hasPreciseTimes(folder, (path) => ({ ...fine(path), ctimeMs: 5 }))).toBe(false);
    expect(hasPreciseTimes(folder, (path) => ({ ...fine(path), mtimeMs: 5 }))).toBe(false);
    const folders = ticking(4, 0.02);
    expect(hasPreciseTimes(folder, (path) => (path.endsWith("/file") ? fine : folders)(path))).toBe(
      false,
    );
    expect(hasPreciseTimes(join(folder, "missing"))).toBe(false);
  });
});
