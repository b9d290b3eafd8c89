import { createHash } from "node:crypto";
import {
  declaredOutputs,
  findOutputs,
  type OutputKind,
  outputsOf,
  writeOutputs,
} from "./outputs.ts";

/** A file as tasks see it. */
export interface ModelFile {
  readonly text: string;
  readonly executable: boolean;
  /** It is a link to this name beside it. */
  readonly link?: string;
  /** It is a folder with nothing in it. */
  readonly isFolder?: true;
}

export type Files = ReadonlyMap<string, ModelFile>;

/** Some of the source files: as a pattern of `inputs`, as a shell command that lists them, and as a test. */
export interface Selector {
  readonly pattern: string;
  readonly find: string;
  readonly matches: (path: string) => boolean;
}

/** Read by tasks that ask a tool, and by those that have a secret. */
export const toolFile = "tools/answer.txt";
export const secretFile = "tools/secret.txt";
/** For `find`. */
export const anyFile = "\\( -type f -o -type l \\)";

/** A task that writes down what it reads. */
export interface ModelTask {
  /** Also the name of what it makes. */
  readonly name: string;
  readonly group: string | undefined;
  /** Part of its command. */
  readonly version: number;
  /** The value of its variable V. */
  readonly value: string;
  /** A variable of the environment that it sees. */
  readonly host: string | undefined;
  /** Undefined: no `inputs`, which is all that git does not ignore. */
  readonly selectors: readonly Selector[] | undefined;
  /** Files that do not count, and that it does not read. */
  readonly ignored: readonly string[];
  readonly dependencies: readonly string[];
  /** The dependency of which it has in its variable Q what it printed. */
  readonly quoted: string | undefined;
  /** Its dependencies stand among its inputs. */
  readonly namesTasks: boolean;
  /** Tasks below its dependencies, of whose outputs it reads what lies there. */
  readonly indirect: readonly string[];
  /** Earlier tasks of the sequence, on which it does not depend, and of whose outputs it reads what lies there. */
  readonly earlier: readonly string[];
  readonly output: OutputKind;
  readonly cached: boolean;
  /** It fails while `src/fail-NAME` is there. */
  readonly canFail: boolean;
  /** What comes after it runs all the same then, and is not stored. */
  readonly isExcused: boolean;
  /** What its tool says is in its key. */
  readonly asksTool: boolean;
  readonly hasSecret: boolean;
}

/** All that the outcome of a run depends on. */
export interface World {
  readonly sources: Files;
  readonly tasks: ReadonlyMap<string, ModelTask>;
  readonly host: Readonly<Record<string, string>>;
  /** The steps of a task `seq`, in the order of the tasks. */
  readonly sequence: readonly string[];
  /** How many tasks of the group may run at once. */
  readonly groupLimit: number;
  /** The project's folder in the workspace; empty: it is the workspace. Sources and outputs lie at the root in any case. */
  readonly place: "" | "apps/it";
  /** The digest functions that its runs use. */
  readonly digests: readonly ("sha256" | "blake3")[];
}

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
  /** It, or what it depends on, runs each time and tells nobody what came of it. */
  readonly blind: boolean;
}

/** In the order of their paths. */
export function sorted(files: Files): readonly (readonly [string, ModelFile])[] {
  return [...files].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

export function fullName({ group, name }: ModelTask): string {
  return group === undefined ? name : `${group}.${name}`;
}

export function taskOf(world: World, name: string): ModelTask {
  const task = world.tasks.get(name);
  if (task === undefined) throw new Error(`there is no task ${name}`);
  return task;
}

/** All below a task, without itself. */
export function belowTask(tasks: World["tasks"], name: string): ReadonlySet<string> {
  const below = new Set<string>();
  const add = (each: string): void => {
    for (const dependency of tasks.get(each)?.dependencies ?? []) {
      if (!below.has(dependency)) add(dependency);
      below.add(dependency);
    }
  };
  add(name);
  return below;
}

/** The shell script that a task is. What it reads is said once here and once in {@link expect}. */
export function scriptOf(world: World, task: ModelTask): string {
  const { name, version, host, ignored, dependencies, canFail } = task;
  const finds = [
    ...(task.selectors?.map(({ find }) => find) ?? [findAll(world)]),
    ...[...dependencies, ...task.indirect, ...task.earlier]
      .map((other) => taskOf(world, other))
      .filter((other) => other.output !== "none")
      .map(findOutputs),
  ];
  const without = ignored.map((path) => ` -e ${path}`).join("");
  const list = finds.map((find) => `${find} 2> /dev/null || :`).join("; ");
  return [
    "set -eu",
    ...(world.place === "" ? [] : ["cd ../.."]),
    ...(canFail ? [`if [ -e src/fail-${name} ]; then exit 3; fi`] : []),
    `list() { { ${list || ":"}; } | LC_ALL=C sort -u${without === "" ? "" : ` | grep -vxF${without} || :`}; }`,
    `text=$(echo "${name} ${version} $V ${host === undefined ? "" : `\${${host}-}`}"; ${askedFor(task)}${readAll})`,
    'n=$(printf "%s\\n" "$text" | wc -l)',
    ...writeOutputs(task),
    'echo "$n lines" >&2',
  ].join("\n");
}

function findAll({ place }: World): string {
  return place === "" ? `find . ${notAll} -printf '%P\\n'` : `find ${place} ${anyFile}`;
}

/** A pattern from the root, as the project writes it. */
function fromProject({ place }: World, pattern: string): string {
  if (place === "") return pattern;
  if (pattern.startsWith("!")) return `!//${pattern.slice(1)}`;
  // One way is as good as the other.
  return pattern.length % 2 === 0 ? `//${pattern}` : `../../${pattern}`;
}

function askedFor({ asksTool, hasSecret, quoted }: ModelTask): string {
  const quote = quoted === undefined ? "" : 'echo "$Q" | sha256sum; ';
  const tool = `${quote}${asksTool ? `cat ${toolFile}; ` : ""}`;
  return hasSecret ? `${tool}echo "$S" | sha256sum; ` : tool;
}

const readAll = [
  'list | while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done | xargs -r sha256sum',
  'list | while read -r f; do if [ -L "$f" ]; then echo "$f $(readlink "$f")"; fi; if [ -f "$f" ] && [ -x "$f" ]; then echo "x $f"; fi; done',
].join("; ");

const notAll = `${anyFile} -not -path './out/*' -not -path './.git/*'`;

/** The project's env.cue, which JSON is, too. */
export function projectFile(world: World): string {
  const tasks: Record<string, object> = {};
  for (const task of world.tasks.values()) {
    const { group, host, selectors, ignored, canFail, cached } = task;
    const here = (patterns: readonly string[]): readonly string[] =>
      patterns.map((pattern) => fromProject(world, pattern));
    const up = world.place === "" ? "" : "../../";
    const inputs = selectors && [
      ...selectors.map(({ pattern }) => pattern),
      ...readDirectly(task).flatMap((other) => declaredOutputs(taskOf(world, other))),
      ...(canFail ? [`src/fail-${task.name}`] : []),
    ];
    const dependencies = task.dependencies.map((other) => fullName(taskOf(world, other)));
    const isNamed = task.namesTasks && inputs !== undefined;
    const named = isNamed ? dependencies.map((name) => ({ task: name })) : [];
    const definition = {
      command: "sh",
      args: ["-c", scriptOf(world, task)],
      env: {
        V: task.value,
        ...(task.quoted === undefined ? {} : { Q: reference(taskOf(world, task.quoted)) }),
        ...(task.hasSecret ? { S: { resolver: { command: "cat", args: [up + secretFile] } } } : {}),
      },
      ...(inputs === undefined ? {} : { inputs: [...here(inputs), ...named] }),
      outputs: here(declaredOutputs(task)),
      dependencies: isNamed ? [] : dependencies,
      ...(cached ? {} : { cache: false }),
      ...(canFail && task.isExcused ? { continueOnError: true } : {}),
      cacheConfig: {
        ignoreInputs: here(ignored),
        ...(host === undefined ? {} : { envInclude: [host] }),
        ...(task.asksTool ? { runtime: [`cat ${up}${toolFile}`] } : {}),
      },
    };
    if (group === undefined) tasks[task.name] = definition;
    else tasks[group] = { ...tasks[group], [task.name]: definition };
  }
  const { group } = tasks;
  if (group !== undefined)
    tasks["group"] = { type: "group", maxConcurrency: world.groupLimit, ...group };
  const text = JSON.stringify(tasks, undefined, 1);
  return `package cuenv\n\ntasks: ${text.replaceAll(/"<([^"]*)>"/g, "$1")}\n${sequenceField(world)}`;
}

/** To what a task prints. JSON has none: it is one once what is around it was taken away. */
function reference(task: ModelTask): string {
  return `<tasks.${fullName(task)}.${task.output === "none" ? "stdout" : "stderr"}>`;
}

/** By reference, which JSON has not. */
function sequenceField(world: World): string {
  const steps = world.sequence.map((name) => `tasks.${fullName(taskOf(world, name))}`);
  return steps.length === 0 ? "" : `tasks: seq: [${steps.join(", ")}]\n`;
}

/** Those whose outputs are among its own inputs. */
function readDirectly({ indirect, earlier }: ModelTask): readonly string[] {
  return [...indirect, ...earlier];
}

/** What all tasks of a world make; each may have read other sources. */
export function expect(
  world: World,
  sourcesOf: (name: string) => Files = () => world.sources,
): ReadonlyMap<string, Expected> {
  const known = new Map<string, Expected>();
  const of = (name: string): Expected => {
    const sources = sourcesOf(name);
    const found = known.get(name) ?? expectTask({ ...world, sources }, taskOf(world, name), of);
    known.set(name, found);
    return found;
  };
  for (const name of world.tasks.keys()) of(name);
  return known;
}

function expectTask(world: World, task: ModelTask, of: (name: string) => Expected): Expected {
  const own = ownInputs(world, task, of);
  const dependencies = task.dependencies.map((name) => ({ name, ...of(name) }));
  const read = new Map(own);
  for (const { outputs } of dependencies) for (const [path, file] of outputs) read.set(path, file);
  const fails = task.canFail && world.sources.has(`src/fail-${task.name}`);
  const host = task.host === undefined ? "" : (world.host[task.host] ?? "");
  const quoted = task.quoted === undefined ? [] : [of(task.quoted).quotable];
  const asked = [...quoted.map((said) => `${sha256(`${said}\n`)}  -`), ...answers(world, task)];
  const text = [
    `${task.name} ${task.version} ${task.value} ${host}`,
    ...asked,
    ...written(world, read),
  ].join("\n");
  const cue = {
    script: scriptOf(world, task),
    value: task.value,
    host,
    asked,
    ignored: task.ignored,
  };
  const state = JSON.stringify([
    cue,
    task.selectors?.map(({ pattern }) => pattern),
    readDirectly(task).flatMap((other) => declaredOutputs(taskOf(world, other))),
    fails,
    sorted(own),
    sorted(linkedFrom(world, own)),
    dependencies.map(({ name, outputs, state: below }) =>
      taskOf(world, name).output === "none" ? [name, sha256(below)] : [name, [...outputs]],
    ),
  ]);
  const blind = dependencies.some(
    (each) =>
      taskOf(world, each.name).output === "none" &&
      (each.blind || !taskOf(world, each.name).cached),
  );
  const outputs = outputsOf(task, text);
  const said = `${text.split("\n").length} lines`;
  return {
    outputs,
    quotable: task.output === "none" ? text.trimEnd() : said,
    printed: [...(task.output === "none" ? text.split("\n") : []), said].toSorted(),
    state,
    blind,
    fails: fails || dependencies.some((each) => each.fails && !isPassedOver(world, each)),
    isTainted: dependencies.some((each) => each.isTainted || isPassedOver(world, each)),
  };
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
function linkedFrom(world: World, own: Files): Files {
  const found = new Map<string, ModelFile>();
  for (const [path, { link }] of own) {
    if (link === undefined || world.sources.get(path)?.link !== link) continue;
    for (const [other, file] of world.sources)
      if (other === `src/${link}` || other.startsWith(`src/${link}/`)) found.set(other, file);
  }
  return found;
}

/** What the task's own patterns take. */
function ownInputs(world: World, task: ModelTask, of: (name: string) => Expected): Files {
  const { selectors, ignored, canFail, name } = task;
  const own = new Map<string, ModelFile>();
  const all = selectors === undefined ? projectFiles(world) : world.sources;
  for (const [path, file] of all) {
    const isTaken = selectors === undefined || selectors.some(({ matches }) => matches(path));
    if (isTaken && !ignored.includes(path)) own.set(path, file);
  }
  const failing = `src/fail-${name}`;
  if (canFail && selectors !== undefined) own.delete(failing);
  for (const other of readDirectly(task))
    for (const [path, file] of of(other).outputs)
      if (file.isFolder === undefined) own.set(path, file);
  return own;
}

export const ignoreFile = "/out\n";

/** What lies in the project's folder and is not ignored. */
function projectFiles(world: World): Files {
  const { place, sources } = world;
  const definition = { text: projectFile(world), executable: false };
  if (place !== "") return new Map([[`${place}/env.cue`, definition]]);
  const ignore = { text: ignoreFile, executable: false };
  return new Map([...sources, ["env.cue", definition], [".gitignore", ignore]]);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
