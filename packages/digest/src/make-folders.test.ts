import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { makeFolders } from "./make-folders.ts";
import { replaceFile } from "./replace-file.ts";

describe("makeFolders", () => {
  const temporary = (): string => {
    const folder = mkdtempSync(join(tmpdir(), "make-folders-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };

  it("makes all that lack, for their owner only, and again", () => {
    const folder = join(temporary(), "a/b/c");
    makeFolders(folder);
    makeFolders(folder);
    expect(statSync(folder).mode & 0o777).toBe(0o700);
  });

  it("says why where it cannot, and ends: below a file, behind a link to nothing, and where nothing can be made", () => {
    const folder = temporary();
    writeFileSync(join(folder, "file"), "");
    symlinkSync("nowhere", join(folder, "link"));
    expect(() => makeFolders(join(folder, "file/a"))).toThrow(/ENOTDIR/);
    expect(() => makeFolders(join(folder, "link/a/b"))).toThrow(/ENOENT/);
    // Linux says ENOENT there, as automounters do: Node's own function tries for ever.
    expect(() => makeFolders("/proc/none/a/b")).toThrow(/^E[A-Z]+:/);
    expect(replaceFile("/proc/none/a/b", "")).toBe(false);
  });
});
