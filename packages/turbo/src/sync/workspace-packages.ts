import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { compilePatterns, matchesSet, type PatternSet } from "@cuenv/key";
import { parse } from "yaml";
import { valueAt } from "./json-text.ts";
import type { PackagePlace } from "./sync-workspace.ts";

/** Deeper, and in more folders, packages are not looked for. */
const maxDepth = 8;
const maxFolders = 50_000;

export interface FoundPackage extends PackagePlace {
  readonly hasEnvCue: boolean;
}

/**
 * The packages of a workspace (`workspaces` of package.json, `packages` of pnpm-workspace.yaml) with the root first; and folders with an env.cue that are none.
 */
export function findWorkspacePackages(root: string): {
  readonly packages: readonly FoundPackage[];
  readonly strays: readonly string[];
} {
  const set = compilePatterns(workspacePatterns(root), "");
  const packages: FoundPackage[] = [];
  const strays: string[] = [];
  for (const { path, names } of folders(root)) {
    const hasEnvCue = names.has("env.cue");
    const isMember = path === "" || (names.has("package.json") && isDirectMember(set, path));
    const manifest = isMember ? textOf(join(root, path, "package.json")) : undefined;
    const name = manifest === undefined ? undefined : valueAt(manifest, ["name"]);
    if (path === "" || typeof name === "string")
      packages.push({
        name: path === "" ? "//" : String(name),
        path,
        scripts: scriptsOf(manifest),
        hasEnvCue,
      });
    else if (hasEnvCue) strays.push(path);
  }
  return { packages, strays };
}

/** A name is that folder's alone, not of those within it. */
function isDirectMember(set: PatternSet, path: string): boolean {
  const include = set.include.map((pattern) => ({ ...pattern, recursive: false }));
  return matchesSet({ ...set, include }, path);
}

function workspacePatterns(root: string): readonly string[] {
  return listedPatterns(root)
    .map((each) => each.replace(/^(!?)\.\//, "$1").replace(/\/+$/, ""))
    .filter((each) => each !== "" && each !== ".");
}

function listedPatterns(root: string): readonly string[] {
  const pnpm = textOf(join(root, "pnpm-workspace.yaml"));
  if (pnpm !== undefined) return stringsIn((parsed(pnpm) as { packages?: unknown })?.packages);
  const manifest = textOf(join(root, "package.json"));
  if (manifest === undefined) return [];
  const listed = stringsIn(valueAt(manifest, ["workspaces"]));
  return listed.length > 0 ? listed : stringsIn(valueAt(manifest, ["workspaces", "packages"]));
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined; // The package manager says so better.
  }
}

function scriptsOf(manifest: string | undefined): Readonly<Record<string, string>> {
  const scripts = manifest === undefined ? undefined : valueAt(manifest, ["scripts"]);
  if (typeof scripts !== "object" || scripts === null) return {};
  return Object.fromEntries(
    Object.entries(scripts).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function stringsIn(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.filter((each) => typeof each === "string") : [];
}

/** Sorted, so that the same workspace gives the same files everywhere. */
function* folders(
  root: string,
): Generator<{ readonly path: string; readonly names: ReadonlySet<string> }> {
  const queue = [""];
  for (let count = 0; count < maxFolders; count += 1) {
    const path = queue.shift();
    if (path === undefined) return;
    const entries = entriesOf(join(root, path));
    yield { path, names: new Set(entries.map(({ name }) => name)) };
    const below = entries
      .filter((each) => each.isDirectory() && !/^(?:\.|node_modules$|cue\.mod$)/.test(each.name))
      .map(({ name }) => posix.join(path, name))
      .toSorted();
    if (path === "" || path.split("/").length < maxDepth) queue.push(...below);
  }
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
