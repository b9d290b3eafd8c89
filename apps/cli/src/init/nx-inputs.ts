import type { TaskDraft } from "./draft.ts";
import { fieldOf, isObject, type Json, type JsonObject, textOf } from "./json-file.ts";
import { type NxProject, nxPath } from "./nx-project.ts";

type Inputs = Pick<TaskDraft, "inputs" | "envInclude" | "runtime">;

interface Found {
  readonly project: NxProject;
  readonly files: string[];
  readonly variables: string[];
  readonly runtime: string[];
  readonly untranslated: string[];
}

/** Named inputs may name others; a circle ends here. */
const maxDepth = 16;

/** A target's inputs, named ones resolved. Without any, Nx takes all files of the project, and so do we. */
export function nxInputs(
  project: NxProject,
  target: JsonObject,
  say: (message: string) => void,
): Inputs {
  const listed = fieldOf(target, "inputs");
  const list = Array.isArray(listed) ? (listed as readonly Json[]) : ["default"];
  const found: Found = { project, files: [], variables: [], runtime: [], untranslated: [] };
  for (const each of list) addInput(found, each, 0);
  if (found.untranslated.length > 0)
    say(`these inputs are not translated: ${[...new Set(found.untranslated)].join(", ")}`);
  const files = [...new Set(found.files)];
  // Only what is left out was said: of all files of the project.
  const isOnlyNegative = files.every((file) => file.startsWith("!"));
  return {
    ...(files.length === 0 || (files.length === 1 && files[0] === ".")
      ? {}
      : { inputs: isOnlyNegative ? [".", ...files] : files }),
    envInclude: [...new Set(found.variables)],
    runtime: [...new Set(found.runtime)],
  };
}

function addInput(found: Found, input: Json, depth: number): void {
  if (depth > maxDepth) return;
  if (typeof input === "string") addText(found, input, depth);
  else if (isObject(input)) addObject(found, input);
}

function addText(found: Found, text: string, depth: number): void {
  // Files of projects that this one depends on: their folders are inputs of every cached task here.
  if (text.startsWith("^")) return;
  const named = fieldOf(found.project.namedInputs, text);
  if (Array.isArray(named)) {
    for (const each of named as readonly Json[]) addInput(found, each, depth + 1);
    return;
  }
  if (text === "default") {
    found.files.push(".");
    return;
  }
  addFiles(found, text);
}

function addFiles(found: Found, text: string): void {
  const path = /^!?\{(?:projectRoot|workspaceRoot)\}/.test(text)
    ? nxPath(found.project, text)
    : undefined;
  if (path === undefined) found.untranslated.push(text);
  // "All files" of Nx are all files but what git ignores.
  else found.files.push(path === "**/*" || path === "**" ? "." : path);
}

function addObject(found: Found, input: JsonObject): void {
  const fileset = textOf(input, "fileset");
  const variable = textOf(input, "env");
  const runtime = textOf(input, "runtime");
  const isLockfile = fieldOf(input, "externalDependencies") !== undefined;
  if (fileset !== undefined) addFiles(found, fileset);
  else if (variable !== undefined) found.variables.push(variable);
  else if (runtime !== undefined) found.runtime.push(runtime);
  // The lockfile is among the inputs of every cached task; a dependency's outputs are inputs without being listed.
  else if (!isLockfile && fieldOf(input, "dependentTasksOutputFiles") === undefined)
    found.untranslated.push(JSON.stringify(input));
}
