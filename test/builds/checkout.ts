import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Sandbox } from "../e2e/sandbox.ts";
import {
  type Files,
  type ModelFile,
  type ModelTask,
  projectFiles,
  sorted,
  type World,
} from "./build-model.ts";
import { workspaceFiles } from "./definition-files.ts";
import { isOutputOf, padding } from "./outputs.ts";
import { ignoredLists } from "./selectors.ts";

/** Brings a checkout to a world: what differs is written, what is no source any more is removed. Outputs stay as they are. */
export function writeWorld(sandbox: Sandbox, world: World, before?: World): void {
  for (const [path, text] of ignoredLists(world.sources)) replaceList(sandbox, path, text);
  for (const [path, file] of before?.sources ?? []) {
    if (world.sources.has(path)) continue;
    const moved = [...world.sources].find(
      ([other, each]) => each === file && before?.sources.has(other) === false,
    );
    if (moved === undefined) sandbox.remove(path);
    else moveFile(sandbox, path, moved[0]);
  }
  for (const [path, file] of world.sources)
    if (before?.sources.get(path) !== file) writeSource(sandbox, path, file);
  writeDefinitions(sandbox, world, before);
}

/** A task that runs reads the one before or this one: of half a list no key and no watch knows. */
function replaceList(sandbox: Sandbox, path: string, text: string): void {
  sandbox.write(`${path}.new`, text);
  renameSync(sandbox.path(`${path}.new`), sandbox.path(path));
}

function writeDefinitions(sandbox: Sandbox, world: World, before: World | undefined): void {
  const files = new Map([...workspaceFiles(world), ...projectFiles(world)]);
  const old = before && new Map([...workspaceFiles(before), ...projectFiles(before)]);
  for (const path of old?.keys() ?? []) if (!files.has(path)) sandbox.remove(path);
  for (const [path, text] of files) if (old?.get(path) !== text) sandbox.write(path, text);
}

function writeSource(sandbox: Sandbox, path: string, { text, executable, link }: ModelFile): void {
  // Never through a link.
  if (link !== undefined || !isFile(sandbox.path(path))) sandbox.remove(path);
  if (link !== undefined) {
    mkdirSync(dirname(sandbox.path(path)), { recursive: true });
    symlinkSync(link, sandbox.path(path));
    return;
  }
  sandbox.write(path, text);
  chmodSync(sandbox.path(path), executable ? 0o755 : 0o644);
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** With its inode and its times. */
function moveFile(sandbox: Sandbox, from: string, to: string): void {
  mkdirSync(dirname(sandbox.path(to)), { recursive: true });
  rmSync(sandbox.path(to), { recursive: true, force: true });
  renameSync(sandbox.path(from), sandbox.path(to));
}

/** Lets everything in a folder be removed, whatever tasks have closed. */
export function openFolders(folder: string): void {
  if (lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  chmodSync(folder, 0o755);
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) openFolders(join(folder, entry.name));
}

/** The files, and empty folders, that lie where a task's outputs do. */
export function filesOf(sandbox: Sandbox, task: ModelTask): Files {
  const found = new Map<string, ModelFile>();
  const walk = (folder: string): void => {
    const entries = readdirSync(join(sandbox.root, folder), { withFileTypes: true });
    if (entries.length === 0 && isOutputOf(task, folder))
      found.set(folder, { text: "", executable: false, isFolder: true });
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (isOutputOf(task, path)) found.set(path, fileAt(join(sandbox.root, path)));
    }
  };
  for (const folder of ["out", "mix"]) if (sandbox.exists(folder)) walk(folder);
  return found;
}

/** For comparing, and for reading. */
export function textOf(files: Files): string {
  return JSON.stringify(sorted(files)).replaceAll(padding, "xxx…");
}

function fileAt(path: string): ModelFile {
  const stat = lstatSync(path);
  if (stat.isSymbolicLink()) return { text: "", executable: false, link: readlinkSync(path) };
  return { text: readFileSync(path, "utf8"), executable: (stat.mode & 0o100) !== 0 };
}

/** Puts something else where an output is. */
export function damageOutput(
  sandbox: Sandbox,
  path: string,
  how: "remove" | "edit" | "folder",
): void {
  const file = sandbox.path(path);
  openFolders(sandbox.path("out"));
  if (how !== "edit") rmSync(file, { recursive: true, force: true });
  if (how === "folder") mkdirSync(join(file, "below"), { recursive: true });
  if (how === "edit") {
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, "damaged\n");
  }
}
