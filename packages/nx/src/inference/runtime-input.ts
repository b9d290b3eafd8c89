import { existsSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { relative, sep } from "node:path";
import type { InspectedCommand } from "./inspection.ts";

/** Words that mean the same in every folder: no path, and nothing that a shell would look at. A word may still be a file's name. */
const plainCommand = /^[\w+-]+(?:\s+[\w=:,@%+-]+)*$/;

/**
 * A command whose output is in Nx' hash. cuenv runs it in the project's folder, with the tools of node_modules/.bin on PATH; Nx at its root, once for each
 * text. So it is left as it is where that makes no difference, and projects share it.
 */
export function runtimeInput(
  workspaceRoot: string,
  root: string,
  command: string,
): { readonly runtime: string } {
  const text = command.trim();
  const [program = "", ...words] = text.split(/\s+/);
  const isFile = (word: string): boolean => existsSync(`${workspaceRoot}/${root}/${word}`);
  if (plainCommand.test(text) && !words.some(isFile)) {
    const bin = nearestBin(workspaceRoot, root, program);
    if (bin === undefined) return { runtime: text };
    if (bin === "node_modules/.bin") return { runtime: `${bin}/${text}` };
  }
  const path = binFolders(root)
    .map((folder) => `"$PWD/${folder}":`)
    .join("");
  const enter = root === "." ? "" : ` && cd ${quoted(root)}`;
  return { runtime: `PATH=${path}"$PATH"${enter} && ${command}` };
}

/** The variables that globs of `envInclude` match, by a program of ours: Nx hashes single ones only. */
export function variablesInput(
  workspaceRoot: string,
  { include, exclude }: Pick<InspectedCommand["environment"], "include" | "exclude">,
): { readonly runtime: string } {
  const globs = [...include, ...exclude.map((glob) => `!${glob}`)].map(quoted);
  return { runtime: `node ${quoted(ownProgram(workspaceRoot))} variables ${globs.join(" ")}` };
}

/** From the workspace's root where it can be, so that the text is the same in every checkout. */
function ownProgram(workspaceRoot: string): string {
  const linked = "node_modules/@cuenv/nx/bin/cuenv-nx.js";
  if (existsSync(`${workspaceRoot}/${linked}`)) return linked;
  const file = fileURLToPath(new URL("../../bin/cuenv-nx.js", import.meta.url));
  const path = relative(workspaceRoot, file);
  return path.startsWith("..") ? file : path.split(sep).join("/");
}

/** From the project's own up to the root's, as a task finds them on its PATH. */
function binFolders(root: string): readonly string[] {
  const folders: string[] = [];
  for (let folder = root; ; folder = posix.dirname(folder)) {
    folders.push(posix.join(folder, "node_modules/.bin"));
    if (folder === ".") return folders;
  }
}

function nearestBin(workspaceRoot: string, root: string, program: string): string | undefined {
  return binFolders(root).find((folder) => existsSync(`${workspaceRoot}/${folder}/${program}`));
}

export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
