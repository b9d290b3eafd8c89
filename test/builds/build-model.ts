import { createHash } from "node:crypto";

/** A file as tasks see it. */
export interface ModelFile {
  readonly text: string;
  readonly executable: boolean;
  /** It is a link to this name beside it. */
  readonly link?: string;
}

export type Files = ReadonlyMap<string, ModelFile>;

/** Some of the source files: as a pattern of `inputs`, as a shell command that lists them, and as a test. */
export interface Selector {
  readonly pattern: string;
  readonly find: string;
  readonly matches: (path: string) => boolean;
}

export type OutputKind = "none" | "file" | "folder" | "glob" | "nested";

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
  /** Tasks below its dependencies, of whose outputs it reads what lies there. */
  readonly indirect: readonly string[];
  readonly output: OutputKind;
  readonly cached: boolean;
  /** It fails while `src/fail-NAME` is there. */
  readonly canFail: boolean;
}

/** All that the outcome of a run depends on. */
export interface World {
  readonly sources: Files;
  readonly tasks: ReadonlyMap<string, ModelTask>;
  readonly host: Readonly<Record<string, string>>;
}

/** What a task is to make, and a text that is the same exactly when a result may be used again. */
export interface Expected {
  readonly outputs: Files;
  readonly state: string;
  readonly fails: boolean;
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

export function declaredOutputs({ name, output }: ModelTask): readonly string[] {
  switch (output) {
    case "none":
      return [];
    case "file":
      return [`out/${name}.txt`];
    case "folder":
      return [`out/${name}`];
    case "glob":
      return [`out/${name}-*.txt`];
    case "nested":
      return [`out/deep/${name}/x.txt`];
  }
}

/** Whether a path lies where the task's outputs do. */
export function isOutputOf(task: ModelTask, path: string): boolean {
  const { name, output } = task;
  if (output === "folder") return path.startsWith(`out/${name}/`);
  if (output === "glob") return path.startsWith(`out/${name}-`) && path.endsWith(".txt");
  return declaredOutputs(task).includes(path);
}

function findOutputs(task: ModelTask): string {
  if (task.output === "glob") return `find out -maxdepth 1 -type f -name '${task.name}-*.txt'`;
  return `find ${declaredOutputs(task).join(" ")} -type f`;
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
  const { name, version, host, ignored, dependencies, indirect, output, canFail } = task;
  const finds = [
    ...(task.selectors?.map(({ find }) => find) ?? [`find . ${notAll} -printf '%P\\n'`]),
    ...[...dependencies, ...indirect]
      .map((other) => taskOf(world, other))
      .filter((other) => other.output !== "none")
      .map(findOutputs),
  ];
  const without = ignored.map((path) => ` -e ${path}`).join("");
  const list = finds.map((find) => `${find} 2> /dev/null || :`).join("; ");
  return [
    "set -eu",
    ...(canFail ? [`if [ -e src/fail-${name} ]; then exit 3; fi`] : []),
    `list() { { ${list || ":"}; } | LC_ALL=C sort -u${without === "" ? "" : ` | grep -vxF${without} || :`}; }`,
    `text=$(echo "${name} ${version} $V ${host === undefined ? "" : `\${${host}-}`}"; list | xargs -r sha256sum; list | while read -r f; do if [ -x "$f" ]; then echo "x $f"; fi; done)`,
    'n=$(printf "%s\\n" "$text" | wc -l)',
    ...writeOutputs(name, output),
  ].join("\n");
}

const notAll = "-type f -not -path './out/*' -not -path './.git/*'";

function writeOutputs(name: string, output: OutputKind): readonly string[] {
  const print = 'printf "%s\\n" "$text"';
  switch (output) {
    case "none":
      return [print];
    case "file":
      return ["mkdir -p out", `rm -rf out/${name}.txt`, `${print} > out/${name}.txt`];
    case "folder":
      return [
        `rm -rf out/${name}`,
        `mkdir -p out/${name}/sub/none`,
        `${print} > out/${name}/all.txt`,
        `echo "$n" > out/${name}/v-"$n".sh`,
        `chmod +x out/${name}/v-"$n".sh`,
        `ln -s all.txt out/${name}/link`,
        `: > out/${name}/sub/empty`,
      ];
    case "glob":
      return [
        "mkdir -p out",
        `rm -rf out/${name}-*.txt`,
        `${print} > out/${name}-all.txt`,
        `echo "$n" > out/${name}-"$n".txt`,
      ];
    case "nested":
      return [
        `rm -rf out/deep/${name}`,
        `mkdir -p out/deep/${name}`,
        `${print} > out/deep/${name}/x.txt`,
      ];
  }
}

/** The project's env.cue, which JSON is, too. */
export function projectFile(world: World): string {
  const tasks: Record<string, unknown> = {};
  for (const task of world.tasks.values()) {
    const { group, host, selectors, ignored, indirect, canFail, cached } = task;
    const inputs = selectors && [
      ...selectors.map(({ pattern }) => pattern),
      ...indirect.flatMap((other) => declaredOutputs(taskOf(world, other))),
      ...(canFail ? [`src/fail-${task.name}`] : []),
    ];
    const definition = {
      command: "sh",
      args: ["-c", scriptOf(world, task)],
      env: { V: task.value },
      ...(inputs === undefined ? {} : { inputs }),
      outputs: declaredOutputs(task),
      dependencies: task.dependencies.map((other) => fullName(taskOf(world, other))),
      ...(cached ? {} : { cache: false }),
      cacheConfig: {
        ignoreInputs: ignored,
        ...(host === undefined ? {} : { envInclude: [host] }),
      },
    };
    if (group === undefined) tasks[task.name] = definition;
    else tasks[group] = { ...(tasks[group] as object | undefined), [task.name]: definition };
  }
  return `package cuenv\n\n${JSON.stringify({ tasks }, undefined, 1).slice(1, -1).trim()}\n`;
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
  const paths = [...read.keys()].filter((path) => read.get(path)?.link === undefined).toSorted();
  const fails = task.canFail && world.sources.has(`src/fail-${task.name}`);
  const host = task.host === undefined ? "" : (world.host[task.host] ?? "");
  const text = [
    `${task.name} ${task.version} ${task.value} ${host}`,
    ...paths.map((path) => `${sha256(read.get(path)?.text ?? "")}  ${path}`),
    ...paths.flatMap((path) => (read.get(path)?.executable === true ? [`x ${path}`] : [])),
  ].join("\n");
  const cue = { script: scriptOf(world, task), value: task.value, host, ignored: task.ignored };
  const state = JSON.stringify([
    cue,
    task.selectors?.map(({ pattern }) => pattern),
    task.indirect.flatMap((other) => declaredOutputs(taskOf(world, other))),
    fails,
    sorted(own),
    dependencies.map(({ name, outputs, state: below }) =>
      taskOf(world, name).output === "none" ? [name, sha256(below)] : [name, [...outputs]],
    ),
  ]);
  const blind = dependencies.some(
    (each) =>
      taskOf(world, each.name).output === "none" &&
      (each.blind || !taskOf(world, each.name).cached),
  );
  return {
    outputs: outputsOf(task, text),
    state,
    blind,
    fails: fails || dependencies.some((each) => each.fails),
  };
}

/** What the task's own patterns take. */
function ownInputs(world: World, task: ModelTask, of: (name: string) => Expected): Files {
  const { selectors, ignored, indirect, canFail, name } = task;
  const own = new Map<string, ModelFile>();
  const all =
    selectors === undefined ? new Map([...world.sources, ...projectFiles(world)]) : world.sources;
  for (const [path, file] of all) {
    const isTaken = selectors === undefined || selectors.some(({ matches }) => matches(path));
    if (isTaken && !ignored.includes(path)) own.set(path, file);
  }
  const failing = `src/fail-${name}`;
  if (canFail && selectors !== undefined) own.delete(failing);
  for (const other of indirect) for (const [path, file] of of(other).outputs) own.set(path, file);
  return own;
}

export const ignoreFile = "/out\n";

function projectFiles(world: World): readonly (readonly [string, ModelFile])[] {
  return [
    ["env.cue", { text: projectFile(world), executable: false }],
    [".gitignore", { text: ignoreFile, executable: false }],
  ];
}

function outputsOf({ name, output }: ModelTask, text: string): Files {
  const file = (content: string, executable = false): ModelFile => ({ text: content, executable });
  const lines = String(text.split("\n").length);
  switch (output) {
    case "none":
      return new Map();
    case "file":
      return new Map([[`out/${name}.txt`, file(`${text}\n`)]]);
    case "folder":
      return new Map([
        [`out/${name}/all.txt`, file(`${text}\n`)],
        [`out/${name}/link`, { ...file(""), link: "all.txt" }],
        [`out/${name}/sub/empty`, file("")],
        [`out/${name}/v-${lines}.sh`, file(`${lines}\n`, true)],
      ]);
    case "glob":
      return new Map([
        [`out/${name}-all.txt`, file(`${text}\n`)],
        [`out/${name}-${lines}.txt`, file(`${lines}\n`)],
      ]);
    case "nested":
      return new Map([[`out/deep/${name}/x.txt`, file(`${text}\n`)]]);
  }
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
