import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProjectDirectory, findWorkspaceRoot } from "./workspace-root.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "cuenv-root-")));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text = ""): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function folder(path: string): string {
  mkdirSync(join(root, path), { recursive: true });
  return join(root, path);
}

describe("findWorkspaceRoot", () => {
  it("is the project's own folder where nothing says otherwise, .git neither", () => {
    folder("repo/.git");
    expect(findWorkspaceRoot(folder("repo/app"))).toBe(join(root, "repo/app"));
  });

  it.each([
    ["pnpm-workspace.yaml", "packages: []"],
    ["nx.json", "{}"],
    ["turbo.json", "{}"],
    ["package.json", '{"workspaces": ["packages/*"]}'],
    ["package.json", '{"workspaces": {"packages": ["packages/*"]}}'],
  ])("is the nearest folder with %s (%s)", (name, text) => {
    write(`repo/${name}`, text);
    write(`repo/inner/${name}`, text);
    expect(findWorkspaceRoot(folder("repo/inner/a/b"))).toBe(join(root, "repo/inner"));
  });

  it("is the nearest folder with cue.mod, before any workspace file that is nearer", () => {
    folder("repo/cue.mod");
    write("repo/js/pnpm-workspace.yaml");
    write("repo/js/app/env.cue");
    expect(findWorkspaceRoot(join(root, "repo/js/app"))).toBe(join(root, "repo"));
    folder("repo/js/app/cue.mod");
    expect(findWorkspaceRoot(join(root, "repo/js/app"))).toBe(join(root, "repo/js/app"));
  });

  it.each([
    ["package.json", '{"name": "x"}'],
    ["package.json", '{"description": "\\"workspaces\\""}'],
    ["package.json", '{"workspaces": false}'],
    ["package.json", 'not json, with "workspaces" in it'],
    ["turbo.json", '{"extends": ["//"]}'],
  ])("is not led by a %s that makes no workspace: %s", (name, text) => {
    write(`repo/${name}`, text);
    expect(findWorkspaceRoot(folder("repo/app"))).toBe(join(root, "repo/app"));
  });

  it("takes a file named cue.mod for nothing", () => {
    write("repo/cue.mod");
    expect(findWorkspaceRoot(folder("repo/app"))).toBe(join(root, "repo/app"));
  });
});

describe("findProjectDirectory", () => {
  it("is the nearest folder with an env.cue, from the folder itself upwards", () => {
    write("repo/env.cue", "package whatever");
    write("repo/app/env.cue");
    expect(findProjectDirectory(folder("repo/app"))).toBe(join(root, "repo/app"));
    expect(findProjectDirectory(folder("repo/app/src/deep"))).toBe(join(root, "repo/app"));
    expect(findProjectDirectory(folder("repo/other"))).toBe(join(root, "repo"));
  });

  it("takes another CUE file of package env or cuenv, and of the package asked for", () => {
    write("a/tasks.cue", "// tasks\n\n@experiment(x)\npackage cuenv\ntasks: {}");
    write("b/tasks.cue", "package examples\n");
    write("c/tasks.cue", "tasks: {}\n");
    const at = (path: string, options = {}): string | undefined =>
      findProjectDirectory(join(root, path), options);
    expect(at("a")).toBe(join(root, "a"));
    expect(at("b")).not.toBe(join(root, "b"));
    expect(at("b", { package: "examples" })).toBe(join(root, "b"));
    expect(at("c")).not.toBe(join(root, "c"));
  });

  it("is none of the folders that have none", () => {
    expect(findProjectDirectory(folder("empty/deep"))?.startsWith(root) ?? false).toBe(false);
  });
});

describe("a folder that everybody may write to", () => {
  const shared = (): void => {
    write("shared/env.cue", "package cuenv\n");
    write("shared/pnpm-workspace.yaml");
    folder("shared/cue.mod");
    chmodSync(join(root, "shared"), 0o1777);
  };

  it("ends the search for a project and for a root, and what is above it counts no more", () => {
    write("env.cue", "package cuenv\n");
    folder("cue.mod");
    shared();
    const inner = folder("shared/mine/inner");
    expect(findProjectDirectory(inner)).toBeUndefined();
    expect(findWorkspaceRoot(inner)).toBe(inner);
    write("shared/mine/env.cue", "package cuenv\n");
    write("shared/mine/nx.json");
    expect(findProjectDirectory(inner)).toBe(join(root, "shared/mine"));
    expect(findWorkspaceRoot(inner)).toBe(join(root, "shared/mine"));
  });

  it("is a project for who works in it", () => {
    shared();
    expect(findProjectDirectory(join(root, "shared"))).toBe(join(root, "shared"));
    expect(findWorkspaceRoot(join(root, "shared"))).toBe(join(root, "shared"));
  });

  it.each([0o777, 0o1775, 0o755])("is not one with mode %o", (mode) => {
    shared();
    chmodSync(join(root, "shared"), mode);
    expect(findProjectDirectory(folder("shared/mine"))).toBe(join(root, "shared"));
  });
});
