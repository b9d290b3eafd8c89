import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { foldersAbove } from "@cuenv/digest";
import { type JsonObject, objectOf, readJsonObject, textOf } from "./json-file.ts";

export type PackageManager = "npm" | "pnpm" | "yarn" | "bun";

const lockfiles: readonly (readonly [file: string, manager: PackageManager])[] = [
  ["pnpm-lock.yaml", "pnpm"],
  ["yarn.lock", "yarn"],
  ["bun.lock", "bun"],
  ["bun.lockb", "bun"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
];

/** The package in the current folder, and what surrounds it. */
export interface PackageFiles {
  /** Absolute. */
  readonly directory: string;
  /** Absolute. */
  readonly workspaceRoot: string;
  readonly manifest: JsonObject | undefined;
  readonly manager: PackageManager;
  /** The lockfile, from the workspace root; undefined when there is none. */
  readonly lockfile: string | undefined;
}

/** @throws {CuenvError} CONFIG_FILE */
export function readPackageFiles(directory: string, workspaceRoot: string): PackageFiles {
  const manifest = readJsonObject(join(directory, "package.json"));
  const rootManifest =
    directory === workspaceRoot ? manifest : readJsonObject(join(workspaceRoot, "package.json"));
  const found = [directory, workspaceRoot].flatMap((folder) =>
    lockfiles
      .filter(([file]) => existsSync(join(folder, file)))
      .map(([file, manager]) => ({
        path: join(folder, file),
        manager,
      })),
  )[0];
  const declared = textOf(manifest, "packageManager") ?? textOf(rootManifest, "packageManager");
  const named = /^(?<name>npm|pnpm|yarn|bun)@/.exec(declared ?? "")?.groups?.["name"];
  return {
    directory,
    workspaceRoot,
    manifest,
    manager: (named as PackageManager | undefined) ?? found?.manager ?? "npm",
    lockfile: found === undefined ? undefined : fromRoot(workspaceRoot, found.path),
  };
}

export function fromRoot(workspaceRoot: string, path: string): string {
  return relative(workspaceRoot, path).split("\\").join("/");
}

/** How a script is run where its text alone would not do. */
export function runScript(manager: PackageManager, script: string): string {
  const name = /^[\w:.@/-]+$/.test(script) ? script : `'${script.replaceAll("'", `'\\''`)}'`;
  // npm takes what follows for itself without the dashes.
  return manager === "npm" ? `npm run ${name} --` : `${manager} run ${name}`;
}

/** A large monorepo has some thousands of packages. */
const maxFolders = 50_000;
const maxDepth = 8;

/**
 * The packages of the workspace that this one depends on, and that those depend on, by what their manifests say: folders, from the workspace root.
 */
export function workspaceDependencies(files: PackageFiles): readonly string[] {
  const packages = packagesBelow(files.workspaceRoot);
  const found = new Map<string, string>();
  const queue: JsonObject[] = files.manifest === undefined ? [] : [files.manifest];
  for (const manifest of queue) {
    for (const name of dependencyNames(manifest)) {
      const local = packages.get(name);
      if (local === undefined || found.has(name) || local.directory === files.directory) continue;
      found.set(name, fromRoot(files.workspaceRoot, local.directory));
      queue.push(local.manifest);
    }
  }
  return [...found.values()].toSorted();
}

const dependencyFields = [
  "dependencies",
  "devDependencies",
  "optionalDependencies",
  "peerDependencies",
] as const;

export function dependencyNames(manifest: JsonObject | undefined): readonly string[] {
  return dependencyFields.flatMap((field) => Object.keys(objectOf(manifest, field)));
}

interface LocalPackage {
  readonly directory: string;
  readonly manifest: JsonObject;
}

function packagesBelow(root: string): ReadonlyMap<string, LocalPackage> {
  const packages = new Map<string, LocalPackage>();
  let folders = 0;
  const look = (directory: string, depth: number): void => {
    folders += 1;
    if (folders > maxFolders) return;
    const manifest = quietly(() => readJsonObject(join(directory, "package.json")));
    const name = textOf(manifest, "name");
    if (manifest !== undefined && name !== undefined && !packages.has(name))
      packages.set(name, { directory, manifest });
    if (depth === maxDepth) return;
    for (const entry of quietly(() => readdirSync(directory, { withFileTypes: true })) ?? []) {
      if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
        look(join(directory, entry.name), depth + 1);
    }
  };
  look(root, 0);
  return packages;
}

/** Another package's manifest that cannot be read is not ours to complain of. */
function quietly<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}

/** The nearest folder, upwards, in which `file` is, and for which `holds`. */
export function nearestWith(
  directory: string,
  file: string,
  holds: (content: JsonObject) => boolean = () => true,
): string | undefined {
  return [...foldersAbove(directory)].find((folder) => {
    const content = readJsonObject(join(folder, file));
    return content !== undefined && holds(content);
  });
}
