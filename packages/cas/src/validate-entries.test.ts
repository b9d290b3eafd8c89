import { hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import type { OutputEntry } from "./output-entry.ts";
import { collisionKey, entriesProblem, linkProblem, pathProblem } from "./validate-entries.ts";

const digest = hashText("sha256", "x");
const file = (path: string): OutputEntry => ({ kind: "file", path, digest, executable: false });
const folder = (path: string): OutputEntry => ({ kind: "directory", path });
const link = (path: string, target: string): OutputEntry => ({ kind: "symlink", path, target });

/** The reasons whole: a check that is gone often shows in the one that catches it later, and in nothing else. */
describe("what is wrong with a path", () => {
  const long = "d/".repeat(2047);
  it.each<[string, string | undefined]>([
    ["", "an empty path"],
    ["/a", "an absolute path, or an empty name in it"],
    ["a//b", "an absolute path, or an empty name in it"],
    ["a/", "an absolute path, or an empty name in it"],
    [".", "a name `.` in it"],
    ["a/./b", "a name `.` in it"],
    ["..", "a name `..` in it"],
    ["a/..", "a name `..` in it"],
    ["a\0b", "a NUL in a name"],
    ["a\\b", "a backslash in a name"],
    ["C:", "a drive letter"],
    ["a/z:/b", "a drive letter"],
    ["\ud800", "a name that is not Unicode"],
    ["a\ufffd", "a name that is not Unicode"],
    ["x".repeat(256), "a name longer than 255 bytes"],
    ["é".repeat(128), "a name longer than 255 bytes"],
    [`a b/${"x".repeat(256)}`, "a name longer than 255 bytes"],
    [`${long}xyz`, "a path longer than 4096 bytes"],
    [`${long}é\u0301`, "a path longer than 4096 bytes"],
    ["x".repeat(255), undefined],
    [`${"é".repeat(127)}x`, undefined],
    [`${long}xy`, undefined],
    [`${long}é`, undefined],
    ["a b", undefined],
    ["...", undefined],
    ["..a", undefined],
    [".a/.b", undefined],
    ["CC:", undefined],
    ["C:x", undefined],
    ["1:", undefined],
    ["a@1+b-c_d/e.f", undefined],
  ])("%j", (path, reason) => {
    expect(pathProblem(path, "linux")).toBe(reason);
  });

  it("on Windows, beside all that", () => {
    for (const name of [
      "con",
      "PRN",
      "aux.txt",
      "nul",
      "com1",
      "LPT9.x",
      "a.",
      "a ",
      "a<b",
      "a>b",
      'a"b',
      "a|b",
      "a?b",
      "a*b",
      "a:b",
    ])
      expect(pathProblem(`d/${name}`, "win32"), name).toBe("a name that Windows cannot have");
    for (const name of ["console", "com10", "lpt", "aux1", "a.b", "a b", "acon"])
      expect(pathProblem(`d/${name}`, "win32"), name).toBeUndefined();
    expect(pathProblem("..", "win32")).toBe("a name `..` in it");
  });
});

describe("what is wrong with the target of a link", () => {
  it.each<[string, string, string | undefined]>([
    ["a", "", "an empty link"],
    ["a", "x\0", "a NUL in a link"],
    ["a", "x\\y", "a backslash in a link"],
    ["a", "x".repeat(4097), "a link longer than 4096 bytes"],
    ["a", "é".repeat(2049), "a link longer than 4096 bytes"],
    ["a", "\udc00", "a link that is not Unicode"],
    ["a", "/etc", "a link to an absolute path (/etc)"],
    ["a", "c:x", "a link to an absolute path (c:x)"],
    ["a/b", "x/../y", "a link that goes down and up again (x/../y)"],
    ["a/b", "../x/..", "a link that goes down and up again (../x/..)"],
    ["a", "..", "a link that leaves the workspace (..)"],
    ["a/b", "../..", "a link that leaves the workspace (../..)"],
    ["a/b", "./.././../x", "a link that leaves the workspace (./.././../x)"],
    ["a", "x".repeat(4096), undefined],
    ["a", "xx:", undefined],
    ["a", "xc:y", undefined],
    ["a/b", "..", undefined],
    ["a/b", "../x", undefined],
    ["a", ".", undefined],
    ["a", "x//y", undefined],
    ["a", "..x", undefined],
  ])("%s → %j", (path, target, reason) => {
    expect(linkProblem(path, target)).toBe(reason);
  });
});

describe("what is wrong with a list of entries", () => {
  it.each<[string, readonly OutputEntry[], { path: string; reason: string } | undefined]>([
    ["nothing", [], undefined],
    ["a tree", [folder("a"), file("a/b"), link("a/c", "b")], undefined],
    ["folders that are not named", [file("a/b/c")], undefined],
    ["a path", [file("a"), file("..")], { path: "..", reason: "a name `..` in it" }],
    ["a link", [link("a", "..")], { path: "a", reason: "a link that leaves the workspace (..)" }],
    ["twice", [file("a"), folder("a")], { path: "a", reason: "a path that is there twice" }],
    [
      "case",
      [file("a"), file("A")],
      { path: "A", reason: "a name that some file systems take for another one's (a)" },
    ],
    [
      "case above",
      [folder("A"), file("a/b")],
      { path: "a/b", reason: "a name that some file systems take for another one's (A)" },
    ],
    ["below a file", [file("a"), file("a/b")], { path: "a/b", reason: "a path below the file a" }],
    [
      "below a link, deep",
      [link("a", "x"), file("a/b/c")],
      { path: "a/b/c", reason: "a path below the symlink a" },
    ],
  ])("%s", (_, entries, problem) => {
    expect(entriesProblem(entries, "linux")).toEqual(problem);
  });

  it("takes for one what some file system takes for one", () => {
    expect(collisionKey("ABC")).toBe("abc");
    expect(collisionKey("STRASSE")).toBe(collisionKey("straße"));
    expect(collisionKey("É")).toBe(collisionKey("e\u0301"));
    expect(collisionKey("ﬁ")).toBe(collisionKey("FI"));
    expect(collisionKey("a")).not.toBe(collisionKey("b"));
  });
});
