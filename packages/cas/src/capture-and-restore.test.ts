import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { describe, expect, it } from "vitest";
import { makeWorkspace } from "../test/workspace.ts";

describe("rows 45: capture and restore", () => {
  it("row 45: gives back bytes, exec bits, links and empty folders, and removes stale files inside outputs only", async () => {
    const space = makeWorkspace();
    space.write("app/dist/a.js", "a");
    space.write("app/dist/sub/tool", "#!/bin/sh\n", 0o755);
    space.write("app/dist/ünï/日本.txt", "x");
    mkdirSync(`${space.root}/app/dist/empty`);
    symlinkSync("../a.js", `${space.root}/app/dist/sub/link`);
    space.write("app/src/a.ts", "source");
    const captured = await space.capture("app", ["dist"]);
    expect(captured.problems).toEqual([]);
    expect(captured.missing).toEqual([]);
    expect(captured.entries.map((entry) => `${entry.kind} ${entry.path}`)).toEqual([
      "directory app/dist",
      "file app/dist/a.js",
      "directory app/dist/empty",
      "directory app/dist/sub",
      "symlink app/dist/sub/link",
      "file app/dist/sub/tool",
      "directory app/dist/ünï",
      "file app/dist/ünï/日本.txt",
    ]);
    rmSync(`${space.root}/app/dist`, { recursive: true });
    mkdirSync(`${space.root}/app/dist`);
    space.write("app/dist/stale.js", "old");
    space.write("app/dist-other/x", "kept");
    const restored = await space.restore("app", ["dist"], captured.entries);
    expect(restored).toEqual({
      kind: "restored",
      restoredFiles: 3,
      restoredBytes: 12,
      removedPaths: 1,
      unchangedFiles: 0,
    });
    expect(readFileSync(`${space.root}/app/dist/a.js`, "utf8")).toBe("a");
    expect(statSync(`${space.root}/app/dist/sub/tool`).mode & 0o111).toBe(0o111 & ~process.umask());
    expect(statSync(`${space.root}/app/dist/a.js`).mode & 0o111).toBe(0);
    expect(readlinkSync(`${space.root}/app/dist/sub/link`)).toBe("../a.js");
    expect(readdirSync(`${space.root}/app/dist/empty`)).toEqual([]);
    expect(existsSync(`${space.root}/app/dist/stale.js`)).toBe(false);
    expect(existsSync(`${space.root}/app/dist-other/x`)).toBe(true);
    expect(existsSync(`${space.root}/app/src/a.ts`)).toBe(true);
    expect(readdirSync(space.root)).toEqual(["app"]);
    const again = await space.restore("app", ["dist"], captured.entries);
    expect(again).toEqual({
      kind: "restored",
      restoredFiles: 0,
      restoredBytes: 0,
      removedPaths: 0,
      unchangedFiles: 3,
    });
    space.cleanUp();
  });
});
