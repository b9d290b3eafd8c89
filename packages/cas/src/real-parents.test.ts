import { mkdirSync, symlinkSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeWorkspace, type Workspace } from "../test/workspace.ts";
import { realParentProblem } from "./real-parents.ts";

let space: Workspace;
beforeEach(() => {
  space = makeWorkspace();
  mkdirSync(`${space.root}/a/b`, { recursive: true });
  space.write("a/file", "x");
  symlinkSync("b", `${space.root}/a/link`);
});
afterEach(() => space.cleanUp());

describe("realParentProblem", () => {
  it.each<[string, string | undefined]>([
    ["x", undefined],
    ["a/x", undefined],
    ["a/b/x", undefined],
    ["a/link", undefined],
    ["a/file", undefined],
    ["a/none/link/x", undefined],
    ["a/link/x", "a/link, above it, is a symbolic link"],
    ["a/link/x/y", "a/link, above it, is a symbolic link"],
    ["a/file/x", "a/file, above it, is no folder"],
  ])("%s", (path, problem) => {
    expect(realParentProblem(space.index, path)).toBe(problem);
  });
});
