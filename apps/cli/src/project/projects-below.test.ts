import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { projectsBelow } from "./projects-below.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "cuenv-below-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function project(folder: string): void {
  mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, folder, "env.cue"), "");
}

describe("the projects below a folder", () => {
  it("are named, the nearest first, and none of what is installed, hidden or linked", () => {
    for (const folder of ["apps/web", "lib", "node_modules/x", ".cache/y", "apps/web/inner"])
      project(folder);
    symlinkSync(join(root, "lib"), join(root, "link"));
    mkdirSync(join(root, "folder/env.cue"), { recursive: true });
    expect(projectsBelow(root)).toEqual(["lib", "apps/web", "apps/web/inner"]);
  });

  it("are a few of many, and none where nothing can be listed", () => {
    for (let number = 0; number < 30; number += 1) project(`p${number}/deep`);
    expect(projectsBelow(root)).toHaveLength(5);
    expect(projectsBelow(join(root, "absent"))).toEqual([]);
    chmodSync(root, 0o1777);
    expect(projectsBelow(root)).toEqual([]);
  });
});
