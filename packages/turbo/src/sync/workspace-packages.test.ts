import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { findWorkspacePackages } from "./workspace-packages.ts";

function workspace(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "cuenv-packages-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const packages = {
  "apps/web/package.json": '{"name": "web", "scripts": {"build": "x", "odd": 1}}',
  "apps/web/env.cue": "",
  "apps/web/fixtures/package.json": '{"name": "fixture"}',
  "apps/old/package.json": '{"name": "old"}',
  "apps/nameless/package.json": "{}",
  "apps/broken/package.json": "{",
  "tools/lint/package.json": '{"name": "lint"}',
  "tools/lint/node_modules/dep/package.json": '{"name": "dep"}',
  "docs/env.cue": "",
};
const found = [
  { name: "//", path: "", scripts: { fmt: "f" }, hasEnvCue: false },
  { name: "web", path: "apps/web", scripts: { build: "x" }, hasEnvCue: true },
  { name: "lint", path: "tools/lint", scripts: {}, hasEnvCue: false },
];

it("finds the packages that pnpm-workspace.yaml, or workspaces of package.json, names, and folders that are none", () => {
  const globs = ["./apps/*", "!apps/old", "tools/lint/"];
  const ways = [
    {
      "pnpm-workspace.yaml": `packages:\n${globs.map((glob) => `  - "${glob}"\n`).join("")}`,
      "package.json": '{"scripts": {"fmt": "f"}}',
    },
    { "package.json": JSON.stringify({ scripts: { fmt: "f" }, workspaces: globs }) },
    { "package.json": JSON.stringify({ scripts: { fmt: "f" }, workspaces: { packages: globs } }) },
  ];
  for (const way of ways)
    expect(findWorkspacePackages(workspace({ ...packages, ...way }))).toEqual({
      packages: found,
      strays: ["docs"],
    });
});

it("finds the root alone where there is no workspace", () => {
  const root = workspace({ "env.cue": "", "a/package.json": '{"name": "a"}' });
  expect(findWorkspacePackages(root)).toEqual({
    packages: [{ name: "//", path: "", scripts: {}, hasEnvCue: true }],
    strays: [],
  });
});
