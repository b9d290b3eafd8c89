import { createHash } from "node:crypto";
import {
  type Call,
  type Files,
  fullName,
  excludedOf,
  hasMixedInputs,
  isAlwaysCached,
  type ModelFile,
  type ModelTask,
  projectFiles,
  readDirectly,
  scriptOf,
  sorted,
  taskOf,
  type World,
} from "./build-model.ts";
import { mixedFolder, outputsOf } from "./outputs.ts";
import { settingsInKey } from "./settings.ts";
import { counts, isExcluded } from "./selectors.ts";
import { secretFile, toolFile } from "./sources.ts";

/** What a task is to make, and a text that is the same exactly when a result may be used again. */
export interface Expected {
  readonly outputs: Files;
  /** The lines on both streams, in order of their letters. */
  readonly printed: readonly string[];
  /** What others have of it in a variable. */
  readonly quotable: string;
  readonly state: string;
  readonly fails: boolean;
  /** Something before it failed and was excused: it makes something of what there is. */
  readonly isTainted: boolean;
  /** So directly that it is not cached: nothing with outputs is between them. */
  readonly isAfterFailure: boolean;
  /** It, or what it depends on, runs each time and tells nobody what came of it. */
  readonly blind: boolean;
}

/** What all tasks of a world make; each may have read other sources. */
export function expect(
  world: World,
  call: Call = { isProd: false, words: [], named: new Set() },
  sourcesOf: (name: string) => Files = () => world.sources,
): ReadonlyMap<string, Expected> {
  const known = new Map<string, Expected>();
  const of = (name: string): Expected => {
    const sources = sourcesOf(name);
    const found =
      known.get(name) ?? expectTask({ ...world, sources }, call, taskOf(world, name), of);
    known.set(name, found);
    return found;
  };
  for (const name of world.tasks.keys()) of(name);
  return known;
}

function expectTask(
  world: World,
  call: Call,
  task: ModelTask,
  of: (name: string) => Expected,
): Expected {
  const own = ownInputs(world, task, of);
  const dependencies = task.dependencies.map((name) => ({ name, ...of(name) }));
  const read = new Map([...linkedFrom(world, task, own), ...own]);
  const isOfFiles = task.settings.cacheKey === undefined;
  for (const { outputs } of isOfFiles ? dependencies : [])
    for (const [path, file] of outputs) read.set(path, file);
  const fails = task.canFail && world.sources.has(`src/fail-${task.name}`);
  const host = task.host === undefined ? "" : (world.host[task.host] ?? "");
  const quoted = task.quoted === undefined ? [] : [of(task.quoted).quotable];
  const asked = [...quoted.map((said) => `${sha256(`${said}\n`)}  -`), ...answers(world, task)];
  const words = call.named.has(fullName(task)) ? call.words : [];
  const global = call.isProd ? "prod" : world.global;
  const text = [
    `${task.name} ${task.version} ${task.value} ${global} ${words.join(" ")} ${host}`,
    ...asked,
    ...written(world, read),
  ].join("\n");
  const cue = {
    // The name of the shell comes before arguments, if there are any.
    script: [task.isScript && words.length === 0, scriptOf(world, task)],
    value: task.value,
    host,
    global,
    words,
    settings: settingsInKey(task.settings),
    asked,
    ignored: task.ignored,
  };
  const inputs = JSON.stringify([
    cue,
    isOfFiles ? declaredInputs(task) : [],
    fails,
    // Whether through a dependency, by a pattern of its own, or through a link.
    sorted(read),
    dependencies
      .filter(({ name }) => taskOf(world, name).output === "none")
      .map(({ state: below }) => below),
  ]);
  const blind = dependencies.some(
    (each) =>
      taskOf(world, each.name).output === "none" &&
      (each.blind || !isAlwaysCached(taskOf(world, each.name))),
  );
  const outputs = outputsOf(task, text);
  const said = `${text.split("\n").length} lines`;
  return {
    outputs,
    quotable: task.output === "none" ? text.replace(/\n+$/, "") : said,
    printed: [...(task.output === "none" ? text.split("\n") : []), said].toSorted(),
    state: sha256(inputs),
    blind,
    fails: fails || dependencies.some((each) => each.fails && !isPassedOver(world, each)),
    isAfterFailure: dependencies.some(
      (each) =>
        isPassedOver(world, each) ||
        (taskOf(world, each.name).output === "none" && each.isAfterFailure),
    ),
    isTainted: dependencies.some((each) => each.isTainted || isPassedOver(world, each)),
  };
}

function declaredInputs(task: ModelTask): object {
  return [
    task.selectors?.map(({ pattern }) => pattern),
    excludedOf(task).map(({ pattern }) => pattern),
  ];
}

/** It failed itself, and what depends on it runs all the same. */
function isPassedOver(
  world: World,
  { name, fails }: Pick<Expected, "fails"> & { readonly name: string },
): boolean {
  const { canFail, isExcused } = taskOf(world, name);
  return fails && canFail && isExcused && world.sources.has(`src/fail-${name}`);
}

function answers(world: World, { asksTool, hasSecret }: ModelTask): readonly string[] {
  const secret = sha256(world.sources.get(secretFile)?.text ?? "");
  return [
    ...(asksTool ? [world.sources.get(toolFile)?.text.trimEnd() ?? ""] : []),
    ...(hasSecret ? [`${secret}  -`] : []),
  ];
}

/** What a task writes of the files that it reads, through links, too. */
function written(world: World, read: Files): readonly string[] {
  const paths = [...read.keys()]
    .filter((path) => read.get(path)?.isFolder === undefined)
    .toSorted();
  const files = paths.flatMap((path) => {
    const file = read.get(path);
    const isSource = world.sources.get(path) === file;
    const found = file?.link === undefined ? file : isSource ? targetOf(world, path) : undefined;
    return [{ path, link: isSource ? file?.link : undefined, found }];
  });
  return [
    ...files.flatMap(({ path, found }) =>
      found === undefined ? [] : [`${sha256(found.text)}  ${path}`],
    ),
    ...files.flatMap(({ path, link, found }) => [
      ...(link === undefined ? [] : [`${path} ${link}`]),
      ...(found?.executable === true ? [`x ${path}`] : []),
    ]),
  ];
}

function targetOf(world: World, path: string): ModelFile | undefined {
  return world.sources.get(`src/${world.sources.get(path)?.link}`);
}

/** What links lead to counts, in folders all. */
function linkedFrom(world: World, task: ModelTask, own: Files): Files {
  const found = new Map<string, ModelFile>();
  for (const [path, { link }] of own) {
    if (link === undefined || world.sources.get(path)?.link !== link) continue;
    const target = `src/${link}`;
    for (const [other, file] of world.sources)
      if (
        other === target ||
        (other.startsWith(`${target}/`) && counts(world.sources, other, target))
      )
        if (!isTakenOut(task, other)) found.set(other, file);
  }
  return found;
}

function isTakenOut(task: ModelTask, path: string): boolean {
  return task.ignored.includes(path) || excludedOf(task).some((each) => isExcluded(each, path));
}

/** What the task's own patterns take. */
function ownInputs(world: World, task: ModelTask, of: (name: string) => Expected): Files {
  const { selectors, canFail, name, settings } = task;
  const own = new Map<string, ModelFile>();
  if (settings.cacheKey !== undefined) return own;
  const declared = [
    ...(selectors ?? []),
    ...(settings.extra === undefined ? [] : [settings.extra]),
  ];
  const isTaken = (path: string): boolean =>
    (hasMixedInputs(task) && path.startsWith(`${mixedFolder(name)}/`)) ||
    declared.some((each) => each.matches(path) && counts(world.sources, path, each.base));
  for (const [path, file] of world.sources)
    if (isTaken(path) && !isTakenOut(task, path)) own.set(path, file);
  for (const [path, file] of selectors === undefined ? filesOfProject(world) : [])
    if (counts(world.sources, path, "") && !isTakenOut(task, path)) own.set(path, file);
  const failing = `src/fail-${name}`;
  if (canFail && selectors !== undefined) own.delete(failing);
  for (const other of readDirectly(task))
    for (const [path, file] of of(other).outputs)
      if (file.isFolder === undefined) own.set(path, file);
  return own;
}

/** What lies in the project's folder and is not ignored. */
function filesOfProject(world: World): Files {
  const { place, sources } = world;
  const files = new Map(place === "" ? sources : []);
  for (const [path, text] of projectFiles(world))
    if (path.startsWith(place)) files.set(path, { text, executable: false });
  return files;
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
