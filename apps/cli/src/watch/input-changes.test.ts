import type { WatchedInputs } from "@cuenv/cache/watch";
import { describe, expect, it } from "vitest";
import { changedPaths, createChangeJudge, isEditorFile } from "./input-changes.ts";

/** `a=1` is declared, `b?=1` is only one of all files of the project. */
function inputs(...files: readonly string[]): WatchedInputs {
  const entries = files.map((text) => {
    const [, path = "", optional, identity = ""] = /^(.*?)(\?)?=(.*)$/.exec(text) ?? [];
    return [path, { identity, isDeclared: optional === undefined }] as const;
  });
  return { files: new Map(entries), folders: new Set() };
}

describe("changed paths", () => {
  it("are those of other content, and those that came or went", () => {
    const before = inputs("same=1", "edited=1", "gone=1");
    expect(changedPaths(before, inputs("same=1", "edited=2", "new=1"))).toEqual([
      "edited",
      "gone",
      "new",
    ]);
    expect(changedPaths(before, before)).toEqual([]);
  });

  it("leave out what editors put beside a file", () => {
    const names = ["src/.a.ts.swp", "a.ts~", ".#a.ts", "#a.ts#", "4913", "x/a.ts___jb_tmp___"];
    expect(names.filter((name) => !isEditorFile(name))).toEqual([]);
    expect(["a.ts", "src/swap.ts", ".env", "49130", "C#"].filter(isEditorFile)).toEqual([]);
    expect(changedPaths(inputs("a=1"), inputs("a=1", ".a.swp=1"))).toEqual([]);
  });
});

/** One run: what it found at its end, and what it told of. */
function run(
  judge: ReturnType<typeof createChangeJudge>,
  before: WatchedInputs,
  after: WatchedInputs,
): { readonly again: readonly string[]; readonly told: readonly string[] } {
  const changed = changedPaths(before, after);
  judge.during(changed, before, after);
  const told = judge.runEnded(changed);
  return { again: judge.during(changed, before, after), told };
}

describe("whose change it is", () => {
  it("takes an edit during a run for an edit, of a declared input or of any file", () => {
    const judge = createChangeJudge();
    expect(run(judge, inputs("a=1"), inputs("a=2")).again).toEqual(["a"]);
    const other = createChangeJudge();
    expect(run(other, inputs("a?=1"), inputs("a?=2")).again).toEqual(["a"]);
    expect(run(createChangeJudge(), inputs("a=1"), inputs()).again).toEqual(["a"]);
  });

  it("takes a new file that no task declares for an output, and one that is declared for an edit", () => {
    const judge = createChangeJudge();
    expect(run(judge, inputs("a?=1"), inputs("a?=1", "dist/x?=1")).again).toEqual([]);
    // Its next version is the task's, too.
    expect(run(judge, inputs("dist/x?=1"), inputs("dist/x?=2")).again).toEqual([]);
    expect(run(createChangeJudge(), inputs(), inputs("src/new=1")).again).toEqual(["src/new"]);
  });

  it("runs three times more for what was there before, then knows that the tasks write it, and says so once", () => {
    const judge = createChangeJudge();
    for (const version of [1, 2, 3])
      expect(run(judge, inputs(`log=${version}`), inputs(`log=${version + 1}`))).toEqual({
        again: ["log"],
        told: [],
      });
    expect(run(judge, inputs("log=4"), inputs("log=5"))).toEqual({ again: [], told: ["log"] });
    expect(run(judge, inputs("log=5"), inputs("log=6"))).toEqual({ again: [], told: [] });
    expect(judge.foreign(["a", "log"])).toEqual(["a"]);
    expect(run(judge, inputs("log=6", "a=1"), inputs("log=7", "a=2")).again).toEqual(["a"]);
  });

  it("waits before it runs a third time for the same files alone, so that who saves them is seen", () => {
    const judge = createChangeJudge();
    run(judge, inputs("a=1"), inputs("a=2"));
    expect(judge.pauseMs(["a"])).toBe(0);
    run(judge, inputs("a=2"), inputs("a=3"));
    expect(judge.pauseMs(["a"])).toBeGreaterThan(0);
    expect(judge.pauseMs(["a", "b"])).toBe(0);
    judge.idle(["a"]);
    run(judge, inputs("a=3"), inputs("a=4"));
    expect(judge.pauseMs(["a"])).toBe(0);
  });

  it("never takes a file for the tasks' that changed while nothing ran", () => {
    const judge = createChangeJudge();
    judge.idle(["a"]);
    for (const version of [1, 2, 3, 4, 5, 6])
      expect(run(judge, inputs(`a=${version}`), inputs(`a=${version + 1}`))).toEqual({
        again: ["a"],
        told: [],
      });
    const made = createChangeJudge();
    expect(run(made, inputs(), inputs("b?=1")).again).toEqual([]);
    made.idle(["b"]);
    expect(run(made, inputs("b?=2"), inputs("b?=3")).again).toEqual(["b"]);
  });

  it("ends a run for the first sign of an edit, and then only for what somebody edits for certain", () => {
    const judge = createChangeJudge();
    expect(judge.mayEnd(["a"], false)).toBe(true);
    run(judge, inputs("a=1"), inputs("a=2"));
    expect(judge.mayEnd(["a"], true)).toBe(false);
    expect(judge.mayEnd(["a"], false)).toBe(false);
    expect(judge.mayEnd(["b"], true)).toBe(false);
    expect(judge.mayEnd(["b"], false)).toBe(true);
    judge.idle(["a"]);
    expect(judge.mayEnd(["a"], true)).toBe(true);
  });
});
