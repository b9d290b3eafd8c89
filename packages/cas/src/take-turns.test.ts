import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
});
afterEach(() => space.cleanUp());

describe("many small outputs", () => {
  it("leave turns to others while they are stored, and while they are restored", async () => {
    for (let file = 0; file < 300; file += 1) space.write(`dist/${file}`, `${file}`);
    let turns = 0;
    let next: NodeJS.Immediate;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    next = setImmediate(count);
    const { entries } = await space.capture("", ["dist"]);
    const turnsOfCapture = turns;
    rmSync(`${space.root}/dist`, { recursive: true });
    turns = 0;
    await space.restore("", ["dist"], entries);
    clearImmediate(next);
    expect(turnsOfCapture).toBeGreaterThanOrEqual(4);
    // Some of them are another thread's.
    expect(turns).toBeGreaterThanOrEqual(2);
  });
});
