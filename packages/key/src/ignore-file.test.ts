import { execFileSync, spawnSync } from "node:child_process";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../test/cpu-milliseconds.ts";
import { freshIndex, temporaryWorkspace, writeFiles } from "../test/temporary-workspace.ts";
import { parseIgnoreFile } from "./ignore-file.ts";
import { selectInputs } from "./select-inputs.ts";

function ignores(text: string, path: string): boolean | undefined {
  const isDirectory = path.endsWith("/");
  return parseIgnoreFile(text).ignores(path.replace(/\/$/, "").split("/"), isDirectory);
}

describe("parseIgnoreFile", () => {
  it("reads names, folders, anchors and exceptions", () => {
    expect(ignores("dist", "a/dist")).toBe(true);
    expect(ignores("dist/", "a/dist")).toBeUndefined();
    expect(ignores("dist/", "a/dist/")).toBe(true);
    expect(ignores("/dist", "a/dist")).toBeUndefined();
    expect(ignores("/dist", "dist")).toBe(true);
    expect(ignores("a/b", "x/a/b")).toBeUndefined();
    expect(ignores("**/a/b", "x/a/b")).toBe(true);
    expect(ignores("a/**/b", "a/b")).toBe(true);
    expect(ignores("a/**", "a/")).toBeUndefined();
    expect(ignores("*.log\n!keep.log", "keep.log")).toBe(false);
    expect(ignores("!keep.log\n*.log", "keep.log")).toBe(true);
  });

  it("reads comments, escapes, blanks at the end, CRLF and a byte order mark", () => {
    expect(ignores("# a\n\n", "# a")).toBeUndefined();
    expect(ignores("\\#a", "#a")).toBe(true);
    expect(ignores("\\!a", "!a")).toBe(true);
    expect(ignores("a   ", "a")).toBe(true);
    expect(ignores("a\\ ", "a ")).toBe(true);
    expect(ignores("a\r\nb\r\n", "a")).toBe(true);
    expect(ignores("\u{FEFF}a", "a")).toBe(true);
    expect(ignores("[a", "[a")).toBeUndefined();
    expect(ignores("a\\", "a")).toBeUndefined();
  });

  it("takes a hostile line without hanging", () => {
    const taken = cpuMilliseconds(() => {
      const hostile = `${"*a".repeat(100)}b\n${"**/a/".repeat(100)}b`;
      expect(ignores(hostile, "a/".repeat(200) + "c")).toBeUndefined();
    });
    expect(taken).toBeLessThan(50);
  });
});

const git = spawnSync("git", ["--version"]).status === 0;
if (!git) console.warn("skipped: comparison of .gitignore with git, because there is no git");

describe.skipIf(!git)(".gitignore, compared with git itself", () => {
  const files = ["f", "a/f", "a/b/f", "a/b/a/f", "b/f", "b/a/x.log", ".e", "a/.e", "f b", "b/b/b"];

  const root = git ? temporaryWorkspace(Object.fromEntries(files.map((path) => [path, ""]))) : "";
  if (git) execFileSync("git", ["init", "-q"], { cwd: root });

  function listedByGit(): string[] {
    const args = ["-c", "core.excludesFile=", "-c", "core.ignoreCase=false"];
    const list = ["ls-files", "-z", "-o", "--exclude-standard"];
    const output = execFileSync("git", [...args, ...list], { cwd: root });
    return output
      .toString()
      .split("\0")
      .filter((path) => path !== "")
      .toSorted();
  }

  const piece = fc.constantFrom(
    "a",
    "b",
    "f",
    "*",
    "**",
    "?",
    "[ab]",
    "[!a]",
    ".e",
    "*.log",
    "x*",
    "f\\ b",
  );
  const line = fc
    .tuple(
      fc.constantFrom("", "", "", "!"),
      fc.constantFrom("", "", "/"),
      fc.array(piece, { minLength: 1, maxLength: 3 }),
      fc.constantFrom("", "", "/", " ", "/**"),
    )
    .map(([negation, anchor, parts, end]) => negation + anchor + parts.join("/") + end);
  const ignoreFile = fc
    .array(line, { minLength: 1, maxLength: 4 })
    .map((lines) => lines.join("\n"));

  it("selects what git lists, with .gitignore files at several levels", { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(ignoreFile, ignoreFile, ignoreFile, (top, middle, deep) => {
        writeFiles(root, { ".gitignore": top, "a/.gitignore": middle, "a/b/.gitignore": deep });
        const request = { projectDirectory: "", patterns: undefined };
        const ours = selectInputs({ index: freshIndex(root), ...request }).files.toSorted();
        expect([top, middle, deep, ours]).toEqual([top, middle, deep, listedByGit()]);
      }),
      { numRuns: 150 },
    );
  });
});
