import { join } from "node:path";
import { type DefinedTask, dependencyInputs, notAwaited } from "./dependency-inputs.ts";
import { type Draft, draftTask, type TaskDraft } from "./draft.ts";
import { draftScripts } from "./draft-scripts.ts";
import {
  fieldOf,
  isObject,
  type Json,
  type JsonObject,
  objectOf,
  readJsonObject,
  textOf,
  textsOf,
} from "./json-file.ts";
import { nxCommand } from "./nx-command.ts";
import { nxInputs } from "./nx-inputs.ts";
import { type NxProject, nxPath } from "./nx-project.ts";
import {
  fromRoot,
  type PackageFiles,
  readPackageFiles,
  workspaceDependencies,
} from "./package-files.ts";

/** A project with its targets: of project.json, of `nx` in package.json, and its scripts. */
interface NxTargets {
  readonly project: NxProject;
  readonly hasProjectFile: boolean;
  readonly names: ReadonlySet<string>;
  /** What scripts are, by name. */
  readonly commands: ReadonlyMap<string, string>;
  /** With nx.json's defaults. */
  readonly target: (name: string) => JsonObject;
}

/** The targets of the project in the current folder. */
export function draftNx(files: PackageFiles, root: string): Draft {
  const targets = nxTargets(files, root);
  const { project, names, commands } = targets;
  noteRootFields(project);
  const tasks = [...names].flatMap((name) => {
    const task = translate(project, { name, target: targets.target(name), commands, names });
    return task === undefined ? [] : [draftTask(name, task)];
  });
  const awaited = [...names].flatMap((name) => definedTask(targets, name)?.elsewhere ?? []);
  const dependencies = dependencyInputs(workspaceDependencies(files), awaited, (path) => {
    const directory = join(files.workspaceRoot, path);
    const used = nxTargets(readPackageFiles(directory, files.workspaceRoot), root);
    return (name) => definedTask(used, name);
  });
  const top = fromRoot(files.directory, join(root, "nx.json"));
  return {
    sources: [
      ...(targets.hasProjectFile ? ["project.json"] : []),
      ...(files.manifest === undefined ? [] : ["package.json"]),
      top,
    ],
    cache: { runtime: ["node --version"] },
    shared: [...(files.lockfile === undefined ? [] : [`//${files.lockfile}`]), ...dependencies],
    tasks,
    notes: project.notes,
  };
}

function nxTargets(files: PackageFiles, root: string): NxTargets {
  const { scripts, notes } = draftScripts(files);
  const projectFile = readJsonObject(join(files.directory, "project.json"));
  const rootFile = readJsonObject(join(root, "nx.json")) ?? {};
  const inPackage = objectOf(files.manifest, "nx");
  const included = textsOf(inPackage, "includedScripts");
  const project: NxProject = {
    files,
    path: fromRoot(root, files.directory),
    top: fromRoot(files.workspaceRoot, root),
    name:
      textOf(projectFile, "name") ?? textOf(inPackage, "name") ?? textOf(files.manifest, "name"),
    rootFile,
    namedInputs: {
      ...objectOf(rootFile, "namedInputs"),
      ...objectOf(inPackage, "namedInputs"),
      ...objectOf(projectFile, "namedInputs"),
    },
    notes: [...notes],
  };
  const written = { ...objectOf(inPackage, "targets"), ...objectOf(projectFile, "targets") };
  const commands = new Map(scripts.map(({ name, task }) => [name, task.command ?? ""]));
  const names = new Set([
    ...Object.keys(written),
    ...[...commands.keys()].filter((name) => included === undefined || included.includes(name)),
  ]);
  return {
    project,
    hasProjectFile: projectFile !== undefined,
    names,
    commands,
    target: (name) => targetOf(rootFile, name, fieldOf(written, name)),
  };
}

function definedTask({ project, names, target }: NxTargets, name: string): DefinedTask | undefined {
  if (!names.has(name)) return undefined;
  const found = target(name);
  const { dependencies, elsewhere } = dependenciesOf(project, { name, target: found, names });
  return {
    outputs: outputsOf(project, found, () => {}),
    dependencies,
    elsewhere: elsewhere.map((each) =>
      each.startsWith("^") ? each.slice(1) : each.slice(each.indexOf(":") + 1),
    ),
  };
}

/** `targetDefaults` hold for the executor, else for the target's name; what the target says wins, `options` field by field. */
function targetOf(rootFile: JsonObject, name: string, written: Json | undefined): JsonObject {
  const own = isObject(written) ? written : {};
  const defaults = objectOf(rootFile, "targetDefaults");
  const executor = textOf(own, "executor");
  const found = [executor, name]
    .map((key) => (key === undefined ? undefined : fieldOf(defaults, key)))
    .find(isObject);
  if (found === undefined) return withDefaultConfiguration(own);
  const options = { ...objectOf(found, "options"), ...objectOf(own, "options") };
  return withDefaultConfiguration({ ...found, ...own, options });
}

function withDefaultConfiguration(target: JsonObject): JsonObject {
  const chosen = textOf(target, "defaultConfiguration");
  if (chosen === undefined) return target;
  const changes = objectOf(objectOf(target, "configurations"), chosen);
  return { ...target, options: { ...objectOf(target, "options"), ...changes } };
}

function translate(
  project: NxProject,
  {
    name,
    target,
    commands,
    names,
  }: {
    readonly name: string;
    readonly target: JsonObject;
    readonly commands: ReadonlyMap<string, string>;
    readonly names: ReadonlySet<string>;
  },
): TaskDraft | undefined {
  const say = (message: string): void => void project.notes.push({ task: name, message });
  const action = nxCommand(project, { name, target, scripts: commands, say });
  if (action === undefined) return undefined;
  noteTargetFields(target, say);
  const { dependencies, elsewhere, missing } = dependenciesOf(project, { name, target, names });
  if (elsewhere.length > 0) say(notAwaited(elsewhere));
  if (missing.length > 0)
    say(`does not wait for ${missing.join(", ")}: a plugin of Nx may infer it, no file says so`);
  const description = textOf(objectOf(target, "metadata"), "description");
  const base: TaskDraft = {
    ...action,
    dependencies,
    ...(description === undefined ? {} : { description }),
  };
  if (action.isGroup === true) return base;
  const isCached = fieldOf(target, "cache") === true && fieldOf(target, "continuous") !== true;
  if (!isCached) return { ...base, cache: false };
  const outputs = outputsOf(project, target, say);
  const inputs = nxInputs(project, target, say);
  return { ...base, ...inputs, outputs, cache: true, usesShared: true };
}

function noteTargetFields(target: JsonObject, say: (message: string) => void): void {
  const configurations = Object.keys(objectOf(target, "configurations"));
  const chosen = textOf(target, "defaultConfiguration");
  const others = configurations.filter((each) => each !== chosen);
  if (others.length > 0) say(`configurations are not translated: ${others.join(", ")}`);
  if (fieldOf(target, "parallelism") === false)
    say("parallelism: false is not translated: run it with --jobs 1");
  if (
    textOf(target, "syncGenerators") !== undefined ||
    textsOf(target, "syncGenerators") !== undefined
  )
    say("syncGenerators are not translated");
}

function dependenciesOf(
  project: NxProject,
  {
    name,
    target,
    names,
  }: { readonly name: string; readonly target: JsonObject; readonly names: ReadonlySet<string> },
): { readonly dependencies: string[]; readonly elsewhere: string[]; readonly missing: string[] } {
  const listed = fieldOf(target, "dependsOn");
  const elsewhere: string[] = [];
  const missing: string[] = [];
  const dependencies = (Array.isArray(listed) ? (listed as readonly Json[]) : []).flatMap(
    (each): string[] => {
      const found = dependencyOf(project, each);
      if (found.elsewhere) elsewhere.push(found.target);
      else if (!names.has(found.target)) missing.push(found.target);
      else if (found.target !== name) return [found.target];
      return [];
    },
  );
  return { dependencies, elsewhere, missing };
}

function dependencyOf(
  { name }: NxProject,
  value: Json,
): { readonly target: string; readonly elsewhere: boolean } {
  if (typeof value === "string") {
    if (value.startsWith("^")) return { target: value, elsewhere: true };
    const [owner, ...rest] = value.split(":");
    // A target's name may have colons itself; a project of that name is rare.
    const isOwn = rest.length > 0 && owner === name;
    return { target: isOwn ? rest.join(":") : value, elsewhere: false };
  }
  const object = isObject(value) ? value : {};
  const target = textOf(object, "target") ?? "";
  if (fieldOf(object, "dependencies") === true) return { target: `^${target}`, elsewhere: true };
  const projects = fieldOf(object, "projects");
  const listed = typeof projects === "string" ? [projects] : (textsOf(object, "projects") ?? []);
  const others = listed.filter((each) => each !== name && each !== "self");
  return others.length > 0
    ? { target: `${others.join(",")}:${target}`, elsewhere: true }
    : { target, elsewhere: false };
}

function outputsOf(
  project: NxProject,
  target: JsonObject,
  say: (message: string) => void,
): readonly string[] {
  const options = objectOf(target, "options");
  return (textsOf(target, "outputs") ?? []).flatMap((output) => {
    const filled = output.replaceAll(/\{options\.(?<name>[\w.-]+)\}/g, (token, option: string) => {
      const value = textOf(options, option);
      return value ?? token;
    });
    const path = nxPath(project, filled);
    if (path !== undefined) return [path];
    // Nx passes over an option that is not set, too.
    if (!/\{options\./.test(filled)) say(`its output ${output} is not translated`);
    return [];
  });
}

function noteRootFields({ rootFile, notes }: NxProject): void {
  const plugins = fieldOf(rootFile, "plugins");
  const names = (Array.isArray(plugins) ? (plugins as readonly Json[]) : []).flatMap((each) =>
    typeof each === "string" ? [each] : (textOf(isObject(each) ? each : {}, "plugin") ?? []),
  );
  if (names.length > 0)
    notes.push({
      task: undefined,
      message: `targets that plugins infer are in no file: ${names.join(", ")}. See nx show project`,
    });
  if (Array.isArray(fieldOf(rootFile, "targetDefaults")))
    notes.push({ task: undefined, message: "targetDefaults as a list are not translated" });
}
