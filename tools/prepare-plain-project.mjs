import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { root } from "./workspace.mjs";

/**
 * Puts examples/plain-project together in `folder` (removed first): its files, the library's sources from the
 * npm package in the lockfile, and a link to the installed tools.
 */
export function preparePlainProject(folder) {
  const example = join(root, "examples", "plain-project");
  const library = dirname(createRequire(join(example, "package.json")).resolve("zod/package.json"));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const made = new Set(
    ["node_modules", "dist", "bundle", "report"].map((name) => join(example, name)),
  );
  cpSync(example, folder, { recursive: true, filter: (source) => !made.has(source) });
  cpSync(join(library, "src"), join(folder, "src"), { recursive: true, dereference: true });
  cpSync(join(library, "LICENSE"), join(folder, "LICENSE.zod"));
  // A workspace of its own: else the nearest one is cuenv's repository, which ignores this folder.
  writeFileSync(join(folder, "pnpm-workspace.yaml"), "packages: []\n");
  const tools = join(example, "node_modules");
  if (!existsSync(tools))
    throw new Error(`cannot prepare ${folder}: ${tools} is not installed; run npm run setup`);
  symlinkSync(tools, join(folder, "node_modules"), "dir");
  // A repository of its own, as a real project is: tools that honour .gitignore look no further up.
  const git = spawnSync("git", ["init", "-q", folder], { encoding: "utf8" });
  if (git.status !== 0)
    throw new Error(`cannot prepare ${folder}: git init: ${git.error ?? git.stderr}`);
}
