import { createFileIndex, type FileIndex } from "@cuenv/digest";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createStretch, lookInTurns } from "./look-in-turns.ts";

let root: string;
beforeEach(() => void (root = mkdtempSync(join(tmpdir(), "cuenv-look-"))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

const names = Array.from({ length: 600 }, (_, at) => `file-${at}`);

/** Each digest takes a millisecond or more, and is counted. */
function slowIndex(): { readonly index: FileIndex; readonly hashed: string[] } {
  for (const name of names) writeFileSync(join(root, name), name);
  const own = createFileIndex({ root, digestFunction: "sha256", stateFile: undefined });
  const hashed: string[] = [];
  const index: FileIndex = {
    ...own,
    digest: (path) => {
      const until = process.uptime() + 0.001;
      while (process.uptime() < until);
      hashed.push(path);
      return own.digest(path);
    },
  };
  return { index, hashed };
}

describe("many files of a task", () => {
  it("are hashed while others have a turn", async () => {
    const { index, hashed } = slowIndex();
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await lookInTurns(index, names, undefined);
    clearInterval(timer);
    expect(hashed).toEqual(names);
    expect(turns).toBeGreaterThan(3);
  });

  it("are not all hashed once a signal came", async () => {
    const { index, hashed } = slowIndex();
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")), 1);
    await expect(lookInTurns(index, names, controller.signal)).rejects.toThrow("enough");
    expect(hashed.length).toBeLessThan(names.length);
  });

  it("are left to who comes next when one cannot be looked at, and when they are few", async () => {
    const { index, hashed } = slowIndex();
    const stat: FileIndex["stat"] = (path) => {
      if (path === "file-3") throw Object.assign(new Error("no answer"), { code: "EIO" });
      return index.stat(path);
    };
    await lookInTurns({ ...index, stat }, names, undefined);
    expect(hashed).toHaveLength(3);
    await lookInTurns(index, names.slice(0, 500), undefined);
    expect(hashed).toHaveLength(3);
  });
});

describe("a stretch", () => {
  it("ends after a while, with a turn for others and an ear for the signal", async () => {
    const controller = new AbortController();
    const pause = createStretch(controller.signal);
    expect(pause()).toBeUndefined();
    const until = process.uptime() + 0.06;
    while (process.uptime() < until);
    setTimeout(() => controller.abort(new Error("enough")), 0);
    await expect(async () => {
      for (let time = 0; time < 100; time += 1) {
        const end = process.uptime() + 0.06;
        while (process.uptime() < end);
        await pause();
      }
    }).rejects.toThrow("enough");
  });
});
