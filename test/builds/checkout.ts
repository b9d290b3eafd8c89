import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { Sandbox } from "../e2e/sandbox.ts";
import {
  type Files,
  ignoreFile,
  isOutputOf,
  type ModelFile,
  type ModelTask,
  projectFile,
  type World,
} from "./build-model.ts";

/** Brings a checkout to a world: what differs is written, what is no source any more is removed. Outputs stay as they are. */
export function writeWorld(sandbox: Sandbox, world: World, before?: World): void {
  for (const path of before?.sources.keys() ?? [])
    if (!world.sources.has(path)) sandbox.remove(path);
  for (const [path, file] of world.sources)
    if (before?.sources.get(path) !== file) writeSource(sandbox, path, file);
  const text = projectFile(world);
  if (before === undefined) sandbox.write(".gitignore", ignoreFile);
  if (before === undefined || projectFile(before) !== text) sandbox.write("env.cue", text);
}

function writeSource(sandbox: Sandbox, path: string, { text, executable }: ModelFile): void {
  sandbox.write(path, text);
  chmodSync(sandbox.path(path), executable ? 0o755 : 0o644);
}

/** The files that lie where a task's outputs do. */
export function filesOf(sandbox: Sandbox, task: ModelTask): Files {
  const found = new Map<string, ModelFile>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(sandbox.root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (isOutputOf(task, path)) found.set(path, fileAt(join(sandbox.root, path)));
    }
  };
  if (sandbox.exists("out")) walk("out");
  return found;
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
  if (how !== "edit") rmSync(file, { recursive: true, force: true });
  if (how === "folder") mkdirSync(join(file, "below"), { recursive: true });
  if (how === "edit") {
    mkdirSync(dirname(file), { recursive: true });
    rmSync(file, { force: true });
    writeFileSync(file, "damaged\n");
  }
}
