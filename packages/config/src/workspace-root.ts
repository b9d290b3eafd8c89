import { type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { foldersAbove } from "@cuenv/digest";

/** Files that make a folder a workspace root by being there. */
const workspaceFiles = ["pnpm-workspace.yaml", "nx.json"] as const;
/** A package clause stands near the top; comments may stand before it. */
const headBytes = 64 * 1024;
const packageNames: readonly string[] = ["env", "cuenv"];

/**
 * The absolute path that keys and stored paths are relative to: the nearest folder, from the project's own upwards,
 * with a `cue.mod` folder; else the nearest with a workspace file (pnpm-workspace.yaml, nx.json, a turbo.json that
 * extends no other, or a package.json with `workspaces`); else the project's folder. Git is not asked: a copy without `.git` has the same root.
 */
export function findWorkspaceRoot(projectDirectory: string): string {
  return findWorkspace(projectDirectory) ?? resolve(projectDirectory);
}

/** As {@link findWorkspaceRoot}, of any folder; undefined where there is no such file or folder. */
export function findWorkspace(directory: string): string | undefined {
  const start = resolve(directory);
  return (
    nearest(start, (folder) => isKind(join(folder, "cue.mod"), "directory")) ??
    nearest(start, isWorkspace)
  );
}

export interface FindProjectOptions {
  /** The CUE package to look for besides `env` and `cuenv` (`--package`). */
  readonly package?: string | undefined;
}

/**
 * The nearest folder, from `directory` itself upwards, that has an `env.cue`, or else another `.cue` file of package
 * `env` or `cuenv` (or the one asked for); undefined if there is none up to the file system's root, or to a folder that everybody may write to.
 */
export function findProjectDirectory(
  directory: string,
  options: FindProjectOptions = {},
): string | undefined {
  const names = options.package === undefined ? packageNames : [...packageNames, options.package];
  return nearest(resolve(directory), (folder) => {
    if (isKind(join(folder, "env.cue"), "file")) return true;
    return cueFiles(folder).some((file) => names.includes(packageOf(join(folder, file)) ?? ""));
  });
}

function nearest(start: string, holds: (folder: string) => boolean): string | undefined {
  for (const folder of foldersAbove(start)) if (holds(folder)) return folder;
  return undefined;
}

function isKind(path: string, kind: "file" | "directory"): boolean {
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat !== undefined && (kind === "file" ? stat.isFile() : stat.isDirectory());
  } catch {
    return false; // not ours to read: then it is not our root either
  }
}

function isWorkspace(folder: string): boolean {
  if (workspaceFiles.some((name) => isKind(join(folder, name), "file"))) return true;
  // A turbo.json that extends another is a package's own, below the root.
  const turbo = readText(join(folder, "turbo.json"));
  if (turbo !== undefined && !/"extends"\s*:/.test(turbo)) return true;
  const text = readText(join(folder, "package.json"));
  // Most package.json have no such word at all: parsing is for the few.
  if (text === undefined || !text.includes('"workspaces"')) return false;
  try {
    const manifest: unknown = JSON.parse(text);
    return (
      typeof manifest === "object" &&
      manifest !== null &&
      Object.hasOwn(manifest, "workspaces") &&
      Boolean((manifest as { workspaces?: unknown }).workspaces)
    );
  } catch {
    return false;
  }
}

/** The names of the files in a folder that may be a package's; none where it cannot be listed. */
export function cueFiles(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
  return (
    entries
      .filter(({ name }) => name.endsWith(".cue") && !name.startsWith(".") && !name.startsWith("_"))
      // Others are no files of a package.
      .filter((entry) =>
        entry.isSymbolicLink() ? isKind(join(folder, entry.name), "file") : entry.isFile(),
      )
      .map((entry) => entry.name)
  );
}

/** The name in a file's package clause: the first line that is neither empty, nor a comment, nor an attribute. */
function packageOf(path: string): string | undefined {
  const text = readText(path)?.slice(0, headBytes);
  for (const line of text?.split("\n") ?? []) {
    const content = line.trim();
    if (content === "" || content.startsWith("//") || content.startsWith("@")) continue;
    return /^package\s+([\p{L}_][\p{L}\p{N}_]*)/u.exec(content)?.[1];
  }
  return undefined;
}

/** Undefined when there is no readable file: finding a root fails for no such reason, and waits for no writer of a FIFO. */
function readText(path: string): string | undefined {
  try {
    return isKind(path, "file") ? readFileSync(path, "utf8") : undefined;
  } catch {
    return undefined;
  }
}
