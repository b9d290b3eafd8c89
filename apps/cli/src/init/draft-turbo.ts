import { join } from "node:path";
import { type DefinedTask, dependencyInputs, notAwaited } from "./dependency-inputs.ts";
import { type Draft, type DraftNote, draftTask, type TaskDraft } from "./draft.ts";
import { draftScripts } from "./draft-scripts.ts";
import { frameworkVariables } from "./framework-variables.ts";
import {
  fieldOf,
  isObject,
  type JsonObject,
  objectOf,
  readJsonObject,
  textOf,
  textsOf,
} from "./json-file.ts";
import {
  dependencyNames,
  fromRoot,
  type PackageFiles,
  readPackageFiles,
  workspaceDependencies,
} from "./package-files.ts";

/** The current package within a Turborepo workspace. */
interface TurboPackage {
  readonly files: PackageFiles;
  /** Absolute. */
  readonly root: string;
  readonly name: string | undefined;
  readonly rootFile: JsonObject;
  /** A turbo.json of the package's own, that extends the root's. */
  readonly ownFile: JsonObject | undefined;
  readonly scripts: ReadonlySet<string>;
  readonly notes: DraftNote[];
}

/** Of the root, what would change what a build gives; the rest is about display and about turbo itself. */
const noticedRootFields = [
  "remoteCache",
  "cacheDir",
  "globalPassThroughEnv",
  "concurrency",
] as const;
const noticedTaskFields = ["passThroughEnv", "with", "extends"] as const;

/** Scripts of the current package with what turbo.json says of them. */
export function draftTurbo(files: PackageFiles, root: string): Draft {
  const { scripts, notes } = draftScripts(files);
  const names = scripts.map(({ name }) => name);
  const turbo = turboPackage(files, root, names);
  turbo.notes.push(...notes);
  noteRootFields(turbo);
  const awaited = names.flatMap((name) => definedTask(turbo, name)?.elsewhere ?? []);
  const dependencies = dependencyInputs(workspaceDependencies(files), awaited, (path) => {
    const other = readPackageFiles(join(files.workspaceRoot, path), files.workspaceRoot);
    const used = turboPackage(other, root, Object.keys(objectOf(other.manifest, "scripts")));
    return (name) => definedTask(used, name);
  });
  const tasks = scripts.map(({ name, task }) => {
    const definition = definitionOf(turbo, name);
    return definition === undefined
      ? draftTask(name, task)
      : draftTask(name, { ...task, ...translate(turbo, name, definition) });
  });
  noteTasksWithoutScript(turbo);
  const lockfile = files.lockfile === undefined ? [] : [`//${files.lockfile}`];
  const globals = (textsOf(turbo.rootFile, "globalDependencies") ?? []).map((glob) =>
    fromTop(turbo, glob.replace(/^(?<not>!?)(?!\$TURBO_ROOT\$)/, "$<not>$TURBO_ROOT$/")),
  );
  return {
    sources: ["package.json", ...turboFiles(turbo)],
    cache: cacheSettings(turbo),
    shared: [...globals, ...lockfile, ...dependencies],
    tasks,
    notes: turbo.notes,
  };
}

function turboPackage(files: PackageFiles, root: string, scripts: readonly string[]): TurboPackage {
  const own = files.directory === root ? undefined : join(files.directory, "turbo.json");
  return {
    files,
    root,
    name: textOf(files.manifest, "name"),
    rootFile: readJsonObject(join(root, "turbo.json")) ?? {},
    ownFile: own === undefined ? undefined : readJsonObject(own),
    scripts: new Set(scripts),
    notes: [],
  };
}

/** A task without a script makes nothing, and waits for others all the same. */
function definedTask(turbo: TurboPackage, name: string): DefinedTask | undefined {
  const definition = definitionOf(turbo, name);
  if (definition === undefined) return undefined;
  const { dependencies, elsewhere } = dependenciesOf(turbo, name, definition);
  const outputs = turbo.scripts.has(name) ? (textsOf(definition, "outputs") ?? []) : [];
  return {
    outputs: outputs.map((glob) => fromTop(turbo, glob)),
    dependencies,
    elsewhere: elsewhere.map((target) =>
      target.startsWith("^") ? target.slice(1) : splitAtHash(target)[1],
    ),
  };
}

function turboFiles({ files, root, ownFile }: TurboPackage): string[] {
  const rootFile = fromRoot(files.directory, join(root, "turbo.json"));
  return ownFile === undefined ? [rootFile] : ["turbo.json", rootFile];
}

function cacheSettings(turbo: TurboPackage): Draft["cache"] {
  const { include, exclude } = variablesOf(textsOf(turbo.rootFile, "globalEnv") ?? []);
  const inferred = frameworkVariables(dependencyNames(turbo.files.manifest));
  const envInclude = [...new Set([...include, ...inferred])];
  return {
    ...(envInclude.length > 0 ? { envInclude } : {}),
    ...(exclude.length > 0 ? { envExclude: exclude } : {}),
    ...(textOf(turbo.rootFile, "envMode") === "loose" ? { envMode: "loose" } : {}),
    runtime: ["node --version"],
  };
}

/** What the root says of a task, then what the package's own file changes in it, field by field. */
function definitionOf(turbo: TurboPackage, name: string): JsonObject | undefined {
  const isRoot = turbo.files.directory === turbo.root;
  const keys = isRoot
    ? [`//#${name}`, ...(turbo.name === undefined ? [] : [`${turbo.name}#${name}`])]
    : [...(turbo.name === undefined ? [] : [`${turbo.name}#${name}`]), name];
  const rootTasks = tasksOf(turbo.rootFile);
  const base = keys.map((key) => fieldOf(rootTasks, key)).find(isObject);
  const own = fieldOf(tasksOf(turbo.ownFile), name);
  if (!isObject(own)) return base;
  if (base === undefined || fieldOf(own, "extends") === false) return own;
  return {
    ...base,
    ...Object.fromEntries(
      Object.entries(own).map(([field, value]) => [field, extended(value, fieldOf(base, field))]),
    ),
  };
}

/** `$TURBO_EXTENDS$` in a list stands for the list of the root. */
function extended(
  value: JsonObject[string],
  base: JsonObject[string] | undefined,
): JsonObject[string] {
  if (!Array.isArray(value) || !value.includes("$TURBO_EXTENDS$")) return value;
  return [
    ...(Array.isArray(base) ? base : []),
    ...value.filter((each) => each !== "$TURBO_EXTENDS$"),
  ];
}

function tasksOf(file: JsonObject | undefined): JsonObject {
  // Before turbo 2 it was called pipeline.
  return fieldOf(file, "tasks") === undefined
    ? objectOf(file, "pipeline")
    : objectOf(file, "tasks");
}

function translate(turbo: TurboPackage, name: string, definition: JsonObject): TaskDraft {
  const say = (message: string): void => void turbo.notes.push({ task: name, message });
  for (const field of noticedTaskFields)
    if (fieldOf(definition, field) !== undefined)
      say(
        field === "passThroughEnv"
          ? "passThroughEnv: cuenv shows a cached task only what is in its key; list what it needs in cacheConfig.envInclude"
          : `${field} is not translated`,
      );
  const { dependencies, variables, elsewhere } = dependenciesOf(turbo, name, definition);
  if (elsewhere.length > 0) say(notAwaited(elsewhere));
  const isLong =
    fieldOf(definition, "persistent") === true || fieldOf(definition, "interactive") === true;
  if (isLong || fieldOf(definition, "cache") === false) return { dependencies, cache: false };
  const { include, exclude } = variablesOf([...(textsOf(definition, "env") ?? []), ...variables]);
  const inputs = textsOf(definition, "inputs");
  return {
    dependencies,
    ...(inputs === undefined ? {} : { inputs: inputsOf(turbo, inputs) }),
    outputs: (textsOf(definition, "outputs") ?? []).map((glob) => fromTop(turbo, glob)),
    cache: true,
    envInclude: include,
    envExclude: exclude,
    usesShared: true,
  };
}

function dependenciesOf(
  turbo: TurboPackage,
  name: string,
  definition: JsonObject,
): {
  readonly dependencies: string[];
  readonly variables: string[];
  readonly elsewhere: readonly string[];
} {
  const dependencies: string[] = [];
  const variables: string[] = [];
  const elsewhere: string[] = [];
  const seen = new Set<string>();
  const add = (target: string): void => {
    if (seen.has(target)) return;
    seen.add(target);
    const [owner, task] = target.includes("#") ? splitAtHash(target) : [turbo.name, target];
    if (target.startsWith("^") || (owner !== turbo.name && target.includes("#")))
      elsewhere.push(target);
    // Before turbo 2 a variable could stand here.
    else if (target.startsWith("$")) variables.push(target.slice(1));
    else if (turbo.scripts.has(task)) dependencies.push(task);
    else {
      // A task without a script does nothing itself: what it waits for counts.
      const inner = definitionOf(turbo, task);
      for (const next of inner === undefined ? [] : (textsOf(inner, "dependsOn") ?? [])) add(next);
    }
  };
  for (const target of textsOf(definition, "dependsOn") ?? []) add(target);
  return { dependencies: dependencies.filter((each) => each !== name), variables, elsewhere };
}

function splitAtHash(target: string): [string, string] {
  const at = target.lastIndexOf("#");
  return [target.slice(0, at), target.slice(at + 1)];
}

function inputsOf(turbo: TurboPackage, globs: readonly string[]): readonly string[] {
  const own = globs.map((glob) => (glob === "$TURBO_DEFAULT$" ? "." : fromTop(turbo, glob)));
  // Turbo counts it always.
  return own.includes(".") ? own : [...own, "package.json"];
}

/** `$TURBO_ROOT$/x` is from the root of turbo's workspace. */
function fromTop({ files, root }: TurboPackage, glob: string): string {
  const negated = glob.startsWith("!");
  const path = negated ? glob.slice(1) : glob;
  const top = fromRoot(files.workspaceRoot, root);
  const below = `//${top === "" ? "" : `${top}/`}`;
  const placed = path.startsWith("$TURBO_ROOT$/")
    ? below + path.slice("$TURBO_ROOT$/".length)
    : path;
  return negated ? `!${placed}` : placed;
}

function variablesOf(names: readonly string[]): {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
} {
  return {
    include: names.filter((name) => !name.startsWith("!")),
    exclude: names.filter((name) => name.startsWith("!")).map((name) => name.slice(1)),
  };
}

function noteRootFields({ rootFile, notes }: TurboPackage): void {
  for (const field of noticedRootFields)
    if (fieldOf(rootFile, field) !== undefined)
      notes.push({ task: undefined, message: `${field} of turbo.json is not translated` });
}

function noteTasksWithoutScript(turbo: TurboPackage): void {
  const own = Object.keys(tasksOf(turbo.ownFile)).filter((name) => !turbo.scripts.has(name));
  if (own.length > 0)
    turbo.notes.push({
      task: undefined,
      message: `${own.join(", ")} of turbo.json: package.json has no such script`,
    });
}
