import { dirname, isAbsolute, relative, sep } from "node:path";
import { isDataObject, kindOf, quoted } from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { named, type Struct } from "../struct.ts";
import type { Context } from "./context.ts";
import {
  isMagic,
  parsePathPattern,
  type PathPattern,
  patternText,
  splitPath,
  startsWithSegments,
} from "./path-pattern.ts";

export interface ReadPatterns {
  readonly patterns: readonly string[];
  /** Outputs of other tasks, `{task: "build"}`, with the pointers they stand at. */
  readonly tasks: readonly { readonly task: string; readonly pointer: string }[];
  /** Outputs of other projects' tasks: what they are called. */
  readonly foreign: readonly string[];
}

/** A list of patterns; only `inputs` may have anything else in it. Undefined when the field is absent. */
export function readPatterns(
  context: Context,
  struct: Struct,
  field: string,
): ReadPatterns | undefined {
  const list = struct.list(field);
  if (list === undefined) return undefined;
  const patterns: string[] = [];
  const tasks: { task: string; pointer: string }[] = [];
  const foreign: string[] = [];
  for (const [index, item] of list.entries()) {
    const pointer = pointerTo(struct.at(field), index);
    const what = `${struct.what}, item ${index} of ${named(field)}`;
    if (field === "inputs" && isDataObject(item)) {
      readTaskInput({ context, struct, pointer, what, tasks, foreign }, item);
    } else if (typeof item !== "string") {
      const message = `cannot read ${what}: it must be a string, not ${kindOf(item)}`;
      context.problems.add("CONFIG_TYPE", pointer, message);
    } else if (field === "inputs" && isForeignOutput(item)) {
      foreign.push(item);
    } else {
      const pattern = readPattern(context, item, pointer, what);
      if (pattern === undefined) continue;
      if (
        field === "outputs" &&
        !pattern.negated &&
        coversProject(pattern, context.projectDirectory)
      )
        addCoversProject(context, pointer, what, item);
      else patterns.push(patternText(pattern));
    }
  }
  return { patterns, tasks, foreign };
}

/** cuenv 0.6's `package:path:task#output`. */
function isForeignOutput(text: string): boolean {
  return /^[^/#*]+:[^/#*]+#/.test(text);
}

interface TaskInputPlace {
  readonly context: Context;
  readonly struct: Struct;
  readonly pointer: string;
  readonly what: string;
  readonly tasks: { task: string; pointer: string }[];
  readonly foreign: string[];
}

/** cuenv 0.54's `{task, map?}` and `{project, task, map}`. */
function readTaskInput(
  { context, struct, pointer, what, tasks, foreign }: TaskInputPlace,
  item: Readonly<Record<string, unknown>>,
): void {
  const task = Object.hasOwn(item, "task") ? item["task"] : undefined;
  if (typeof task !== "string") {
    const message = `cannot read ${what}: a struct in \`inputs\` must name a \`task\``;
    context.problems.add("CONFIG_TYPE", pointer, message);
    return;
  }
  if (Object.hasOwn(item, "project") && item["project"] !== null) {
    foreign.push(`${kindOf(item["project"])}, task ${quoted(task)}`);
    return;
  }
  tasks.push({ task, pointer });
  const map = Object.hasOwn(item, "map") ? item["map"] : undefined;
  if (Array.isArray(map) && map.length > 0) {
    const name = struct.what.replace(/^task /, "");
    const detail = "of an input has no effect: outputs are used where they were made";
    context.ignored.add("map", name, pointerTo(pointer, "map"), detail);
  }
}

function readPattern(
  context: Context,
  text: string,
  pointer: string,
  what: string,
): PathPattern | undefined {
  const result = parsePathPattern(text, context.projectDirectory);
  if (result.ok) return result.pattern;
  const { outside, reason } = result;
  const hint = outside
    ? "paths are relative to the folder of env.cue; // is the workspace root"
    : undefined;
  const code = outside ? "CONFIG_OUTSIDE_WORKSPACE" : "CONFIG_VALUE";
  context.problems.add(code, pointer, `cannot read ${what}: ${quoted(text)} ${reason}`, hint);
  return undefined;
}

/** Whether an output takes in the project's folder itself, sources and env.cue included: restoring it would replace them. */
function coversProject({ segments }: PathPattern, projectDirectory: string): boolean {
  let length = segments.length;
  while (length > 0 && /^\*+$/.test(segments[length - 1] ?? "")) length -= 1;
  const folder = segments.slice(0, length);
  return !folder.some(isMagic) && startsWithSegments(splitPath(projectDirectory), folder);
}

function addCoversProject(context: Context, pointer: string, what: string, text: string): void {
  const message = `cannot read ${what}: ${quoted(text)} takes in the whole project`;
  const hint =
    "name the folders or files that the task makes; everything else in them is removed when a result is restored";
  context.problems.add("CONFIG_OUTPUTS", pointer, message, hint);
}

/**
 * The folder a task runs in, relative to the project's: `workingDir` (from the project's folder), or cuenv 0.54's
 * `dir: {from: "definition" | "caller" | "module", path}`, of which a bare string is the module's.
 */
export function readDirectory(context: Context, struct: Struct): string {
  if (struct.has("workingDir") && struct.has("dir")) {
    struct.wrongValue("dir", "and `workingDir` are two spellings of one field", "keep one");
    return "";
  }
  if (!struct.has("dir"))
    return toDirectory(context, struct, "workingDir", struct.string("workingDir") ?? ".");
  if (typeof struct.raw("dir") === "string") {
    const text = struct.string("dir") ?? ".";
    if (context.projectDirectory !== "") {
      const message =
        'a string in `dir` is relative to the workspace root and deprecated: write `workingDir`, which is relative to the project\'s folder, or `dir: {from: "module", path: …}`';
      struct.problems.warn("dir string", struct.at("dir"), message);
    }
    return toDirectory(context, struct, "dir", fromRoot(text));
  }
  const dir = struct.struct("dir");
  if (dir === undefined) return "";
  dir.refuseUnknown(new Set(["from", "path"]));
  const path = dir.string("path") ?? ".";
  const from = dir.string("from") ?? "caller";
  if (from === "caller") return toDirectory(context, struct, "dir", path);
  if (from === "module") return toDirectory(context, struct, "dir", fromRoot(path));
  if (from === "definition")
    return toDirectory(context, struct, "dir", `${definitionFolder(context, struct)}/${path}`);
  dir.wrongValue("from", `must be definition, caller or module, not ${quoted(from)}`);
  return "";
}

function fromRoot(path: string): string {
  return path.startsWith("/") ? path : `//${path}`;
}

/** The folder of the file that the task's command is written in, as a `//` path; "." where that is not known. */
function definitionFolder(context: Context, struct: Struct): string {
  const field = struct.has("script") ? "script" : "command";
  const file = context.problems.locate(struct.at(field))?.file;
  if (file === undefined || context.workspaceRoot === undefined || !isAbsolute(file)) return ".";
  const path = relative(context.workspaceRoot, dirname(file));
  return path.startsWith("..") || isAbsolute(path) ? "." : `//${path.split(sep).join("/")}`;
}

function toDirectory(context: Context, struct: Struct, field: string, text: string): string {
  const pointer = struct.at(field);
  const result = parsePathPattern(text, context.projectDirectory);
  if (!result.ok || result.pattern.negated) {
    const outside = !result.ok && result.outside;
    const reason = result.ok ? "is not a folder" : result.reason;
    context.problems.add(
      outside ? "CONFIG_OUTSIDE_WORKSPACE" : "CONFIG_VALUE",
      pointer,
      `cannot read ${struct.what}: ${named(field)} ${quoted(text)} ${reason}`,
    );
    return "";
  }
  return relativeTo(splitPath(context.projectDirectory), result.pattern.segments);
}

function relativeTo(from: readonly string[], to: readonly string[]): string {
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common += 1;
  return [...from.slice(common).map(() => ".."), ...to.slice(common)].join("/");
}
