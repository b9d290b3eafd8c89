import { startsFromAll } from "@cuenv/key";
import {
  baseOf,
  hasWildcard,
  isNameToCuenvOnly,
  isWithin,
  mayMeet,
  placedPattern,
  sayable,
  turboPattern,
  widened,
} from "./placed-pattern.ts";
import type { SyncCommand, SyncPackage, SyncWorkspace } from "./sync-workspace.ts";
import {
  createWorkspaceOutputs,
  type Maker,
  outputsOf,
  type WorkspaceOutputs,
} from "./workspace-outputs.ts";

const everything = "$TURBO_DEFAULT$";

export interface TaskInputs {
  readonly inputs: readonly string[];
  /** Tasks of other packages whose outputs are among the inputs, like `prices#build`. */
  readonly makers: readonly Maker[];
  /** A pattern outside of turbo's root. */
  readonly outside: string | undefined;
}

export type TaskInputsOf = (owner: SyncPackage, command: SyncCommand) => TaskInputs;

/** The inputs of all tasks of a workspace, each found out once: a task's are asked for by all that depend on it. */
export function createTaskInputs(workspace: SyncWorkspace): TaskInputsOf {
  const outputs = createWorkspaceOutputs(workspace);
  const known = new Map<SyncCommand, TaskInputs>();
  return (owner, command) => {
    const found = known.get(command) ?? taskInputs(workspace, outputs, owner, command);
    known.set(command, found);
    return found;
  };
}

/**
 * The files that turbo hashes for a task: at least those that cuenv does. Turbo hashes before anything has run, so what another task makes is no input but a
 * dependency, whose hash is in that of the task; and its globs match what git ignores, so outputs and installed packages are taken out.
 */
function taskInputs(
  workspace: SyncWorkspace,
  outputs: WorkspaceOutputs,
  owner: SyncPackage,
  command: SyncCommand,
): TaskInputs {
  const { positive, negative } = patternsOf(command);
  const placed = positive.flatMap((pattern) => {
    const place = placedPattern(owner, widened(pattern));
    const isFolder = place !== undefined && isNameToCuenvOnly(pattern);
    return [[pattern, place], ...(isFolder ? [[pattern, `${place}/**`]] : [])] as const;
  });
  const inside = placed.flatMap(([, place]) => (place === undefined ? [] : [place]));
  const made = outputsOf(owner, [command, ...dependenciesOf(owner, command)]);
  const files = inside.filter(
    (place) =>
      outputs.makersOf(owner, place).length === 0 &&
      !made.some((output) => isWithin(baseOf(place), output)),
  );
  const includes = files.map((place) => included(owner, place));
  const isDefault = includes.includes(everything);
  const taken = files.filter((place) => included(owner, place) !== everything);
  const cueFiles = owner.cueFiles.filter((file) => !isDefault || !isWithin(file, owner.path));
  const exclusions = [
    ...negative
      .flatMap((pattern) => excludable(owner, pattern))
      .filter((path) => files.some((place) => mayMeet(place, path))),
    ...generated(outputs, made, taken, isDefault),
  ].flatMap((path) => excludedForms(owner, path));
  const inputs = [
    ...includes,
    ...cueFiles.map((file) => turboPattern(owner, file)),
    ...exclusions,
    ...installed(workspace, owner, taken),
  ];
  return {
    inputs: [...new Set(inputs)],
    makers: inside.flatMap((place) => outputs.makersOf(owner, place)),
    outside: placed.find(([, place]) => place === undefined)?.[0],
  };
}

function patternsOf(command: SyncCommand): {
  readonly positive: readonly string[];
  readonly negative: readonly string[];
} {
  if (command.hasCacheKey) return { positive: [], negative: [] };
  const { inputs, extraInputs, ignoreInputs } = command;
  const all = startsFromAll(inputs ?? undefined) ? ["."] : [];
  const written = [...all, ...(inputs ?? []), ...extraInputs].flatMap(sayable);
  const positive = written.filter((pattern) => !pattern.startsWith("!"));
  const negative = written
    .filter((pattern) => pattern.startsWith("!"))
    .map((pattern) => pattern.slice(1));
  return { positive, negative: [...negative, ...ignoreInputs.flatMap(sayable)] };
}

/** Outputs among what is taken. Those that git ignores are not among all files of the package. */
function generated(
  { ignored }: WorkspaceOutputs,
  made: readonly string[],
  taken: readonly string[],
  isDefault: boolean,
): readonly string[] {
  const folders = taken.map(baseOf);
  return [...new Set([...made, ...ignored])].filter(
    (output) =>
      folders.some((folder) => isWithin(output, folder)) ||
      (isDefault && made.includes(output) && !ignored.has(output)),
  );
}

/** The commands of the same package that it depends on. */
export function dependenciesOf(owner: SyncPackage, command: SyncCommand): readonly SyncCommand[] {
  return owner.tasks.filter(
    (task): task is SyncCommand => task.kind === "command" && command.commands.includes(task.name),
  );
}

function included(owner: SyncPackage, place: string): string {
  const whole = owner.path === "" ? place : place.slice(owner.path.length + 1);
  const isAll = place === (owner.path || ".") || ["**", "**/*", "."].includes(whole);
  return isAll && isWithin(place, owner.path) ? everything : turboPattern(owner, place);
}

/** Fewer than cuenv leaves out, where turbo would leave out more: `!src/*` is folders with all that is in them, too. */
function excludable(owner: SyncPackage, pattern: string): readonly string[] {
  if (/\[|\{[^}]*\//.test(pattern)) return [];
  const last = pattern.replace(/\/+$/, "").split("/").at(-1) ?? "";
  if (hasWildcard(last) && last !== "**" && !last.includes(".")) return [];
  const place = placedPattern(owner, pattern);
  return place === undefined ? [] : [place];
}

/** A folder is not taken out by its name alone: not of all files, and not outside of git. */
function excludedForms(owner: SyncPackage, path: string): readonly string[] {
  const pattern = turboPattern(owner, path);
  const last = path.slice(path.lastIndexOf("/") + 1);
  return hasWildcard(last) ? [`!${pattern}`] : [`!${pattern}`, `!${pattern}/**`];
}

/** What lies in packages besides their sources, where a pattern covers a whole package. */
function installed(
  { packages, others }: SyncWorkspace,
  owner: SyncPackage,
  places: readonly string[],
): readonly string[] {
  const folders = [...packages, ...others].map(({ path }) => path || ".");
  return places
    .filter((place) => {
      const isDeep = place.includes("**") || !hasWildcard(place);
      return isDeep && folders.some((folder) => isWithin(folder, baseOf(place)));
    })
    .map(baseOf)
    .flatMap((base) =>
      ["node_modules", ".turbo"].map((name) => {
        const below = base === "." ? `**/${name}/**` : `${base}/**/${name}/**`;
        return `!${turboPattern(owner, below)}`;
      }),
    );
}
