import { type Settings, writtenSettings } from "./settings.ts";
import { anyFile, type Exclusion, type Selector, withoutIgnored } from "./selectors.ts";
import { secretFile, toolFile } from "./sources.ts";
import { definitionFiles, type Layout } from "./definition-files.ts";
import {
  declaredOutputs,
  findOutputs,
  mixedFolder,
  type OutputKind,
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
  /** What `!` takes out of them. */
  readonly excluded: readonly Exclusion[];
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
  readonly settings: Settings;
  /** It is written as a script, not as a program with arguments. */
  readonly isScript: boolean;
  /** Every other attempt fails, when it has made its outputs and before it prints. */
  readonly isFlaky: boolean;
}

/** All that the outcome of a run depends on. */
export interface World {
  readonly sources: Files;
  readonly tasks: ReadonlyMap<string, ModelTask>;
  readonly host: Readonly<Record<string, string>>;
  /** The steps of a task `seq`, in the order of the tasks. */
  readonly sequence: readonly string[];
  /** Where the project's variables are written. */
  readonly layout: Layout;
  /** The value of the project's variable G, and under `-e prod`. */
  readonly global: string;
  /** How many tasks of the group may run at once. */
  readonly groupLimit: number;
  /** The project's folder in the workspace; empty: it is the workspace. Sources and outputs lie at the root in any case. */
  readonly place: "" | "apps/it";
  /** The digest functions that its runs use. */
  readonly digests: readonly ("sha256" | "blake3")[];
}

/** What a run is asked for that tasks see. */
export interface Call {
  readonly isProd: boolean;
  /** Words after `--`, for these. */
  readonly words: readonly string[];
  readonly named: ReadonlySet<string>;
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
  const { cacheKey, extra } = task.settings;
  const finds = [
    ...(task.selectors?.map(({ find, base }) => withoutIgnored(find, base)) ?? [
      withoutIgnored(findAll(world), ""),
    ]),
    ...(hasMixedInputs(task) ? [`find ${mixedFolder(name)} ${anyFile} -not -name '*.js'`] : []),
    ...(extra === undefined ? [] : [withoutIgnored(extra.find, extra.base)]),
    ...[...dependencies, ...task.indirect, ...task.earlier]
      .map((other) => taskOf(world, other))
      .filter((other) => other.output !== "none")
      .map(findOutputs),
  ];
  const without = [
    ...ignored.map((path) => `^${path.replaceAll(".", "\\.")}$`),
    ...excludedOf(task).map(({ expression }) => expression),
  ]
    .map((expression) => ` -e '${expression}'`)
    .join("");
  const list =
    cacheKey !== undefined ? "" : finds.map((find) => `{ ${find}; } 2> /dev/null || :`).join("; ");
  return [
    "set -eu",
    ...(world.place === "" ? [] : ["cd ../.."]),
    ...(canFail ? [`if [ -e src/fail-${name} ]; then exit 3; fi`] : []),
    `without() { ${without === "" ? "cat" : `grep -v${without} || :`}; }`,
    followLinks,
    `list() { { ${list || ":"}; } | without | follow | without | LC_ALL=C sort -u; }`,
    `text=$(echo "${name} ${version} $V $G $* ${host === undefined ? "" : `\${${host}-}`}"; ${askedFor(task)}${readAll})`,
    'n=$(printf "%s\\n" "$text" | wc -l)',
    ...(task.isFlaky && task.output === "none" ? [failEveryOther(name)] : []),
    ...writeOutputs(task),
    ...(task.isFlaky && task.output !== "none" ? [failEveryOther(name)] : []),
    'echo "$n lines" >&2',
  ].join("\n");
}

/** Beside the workspace, so that it is nobody's input. Runs at once may take each other's turn, but not ten times. */
function failEveryOther(name: string): string {
  return `if [ -e ../failed-${name} ]; then rm -f ../failed-${name}; else : > ../failed-${name}; exit 4; fi`;
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

/** What links lead to counts, in a folder all that git does not ignore below it. */
const followLinks = [
  'follow() { while read -r f; do echo "$f"; case "$f" in src/*) if [ -L "$f" ]; then t="src/$(readlink "$f")"',
  `if [ -d "$t" ]; then find "$t" ${anyFile} | grep -vxFf "../ignored-$(echo "$t" | tr / -)" || :`,
  'elif [ -f "$t" ]; then echo "$t"; fi; fi;; esac; done; }',
].join("; ");

const readAll = [
  'list | while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done | xargs -r sha256sum',
  'list | while read -r f; do if [ -L "$f" ]; then echo "$f $(readlink "$f")"; fi; if [ -f "$f" ] && [ -x "$f" ]; then echo "x $f"; fi; done',
].join("; ");

const notAll = `${anyFile} -not -path './out/*' -not -path './mix/*' -not -path './.git/*'`;

/** The field `tasks` of the project, which JSON is, too. */
function tasksField(world: World): string {
  const tasks: Record<string, object> = {};
  for (const task of world.tasks.values()) {
    const { group, host, selectors, ignored, canFail, cached } = task;
    const here = (patterns: readonly string[]): readonly string[] =>
      patterns.map((pattern) => fromProject(world, pattern));
    const settings = writtenSettings(task.settings, (pattern) => fromProject(world, pattern));
    const up = world.place === "" ? "" : "../../";
    const inputs = selectors && [
      ...selectors.map(({ pattern }) => pattern),
      ...readDirectly(task).flatMap((other) => declaredOutputs(taskOf(world, other))),
      ...(canFail ? [`src/fail-${task.name}`] : []),
      ...(hasMixedInputs(task) ? [mixedFolder(task.name)] : []),
      ...excludedOf(task).map(({ pattern }) => `!${pattern}`),
    ];
    const dependencies = task.dependencies.map((other) => fullName(taskOf(world, other)));
    const isNamed = task.namesTasks && inputs !== undefined;
    const named = isNamed ? dependencies.map((name) => ({ task: name })) : [];
    const definition = {
      ...(task.isScript
        ? { script: scriptOf(world, task), scriptShell: "sh" }
        : { command: "sh", args: ["-c", scriptOf(world, task), "sh"] }),
      env: {
        V: task.value,
        ...(task.quoted === undefined ? {} : { Q: reference(taskOf(world, task.quoted)) }),
        ...(task.hasSecret ? { S: { resolver: { command: "cat", args: [up + secretFile] } } } : {}),
      },
      ...(inputs === undefined ? {} : { inputs: [...here(inputs), ...named] }),
      outputs: here(declaredOutputs(task)),
      dependencies: isNamed ? [] : dependencies,
      ...settings.ofTask,
      ...(cached ? {} : { cache: false }),
      ...(task.isFlaky ? { retry: { attempts: 10, delay: "1ms" } } : {}),
      ...(canFail && task.isExcused ? { continueOnError: true } : {}),
      cacheConfig: {
        ...settings.ofCache,
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
  return `tasks: ${text.replaceAll(/"<([^"]*)>"/g, "$1")}\n${sequenceField(world)}`;
}

/** In some runs a task that only reads or writes is not. */
export function isAlwaysCached({ cached, settings: { mode = "read-write" } }: ModelTask): boolean {
  return cached && mode === "read-write";
}

/** It reads what lies beside its outputs. */
export function hasMixedInputs({ output, selectors }: ModelTask): boolean {
  return output === "mixed" && selectors !== undefined;
}

/** Without anything to take out of, all of the project would be meant. */
export function excludedOf({ selectors, excluded }: ModelTask): readonly Exclusion[] {
  return selectors === undefined || selectors.length === 0 ? [] : excluded;
}

/** The CUE files of the project. */
export function projectFiles(world: World): ReadonlyMap<string, string> {
  const variables = JSON.stringify({ G: world.global, environment: { prod: { G: "prod" } } });
  return definitionFiles(world, variables, tasksField(world));
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
export function readDirectly({ indirect, earlier }: ModelTask): readonly string[] {
  return [...indirect, ...earlier];
}
