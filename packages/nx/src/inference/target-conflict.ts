import { isObject } from "../json-object.ts";
import { nameMatches } from "../name-matches.ts";
import type { NxJson, Target } from "../nx-api.ts";
import { definitionVariable } from "./command-target.ts";
import { lostOutputs } from "./lost-outputs.ts";
import type { WrittenTarget } from "./written-targets.ts";

type Fields = Readonly<Record<string, unknown>>;

export interface ConflictQuestion {
  readonly nxJson: NxJson;
  readonly knowsRest: boolean;
  /** The project's folder, from Nx' workspace root. */
  readonly root: string;
  /** The project's, as `dependsOn` may have them. */
  readonly projectNames: readonly string[];
  /** What is said of the target where the project is. */
  readonly written: readonly WrittenTarget[];
}

/**
 * Why what wins over what is inferred (`targetDefaults` of nx.json, and what the project's own files say) would make a target wrong: tasks that a task
 * depends on would not run before it, what is not Nx' to keep would be kept by it, a hit would not put back what it makes, or would be one of another
 * definition of it. In these cases the target must not run at all. Undefined: there is nothing of that.
 */
export function targetConflict(
  question: ConflictQuestion,
  name: string,
  target: Target,
): string | undefined {
  const { nxJson, knowsRest, projectNames, written } = question;
  const hasRest = (list: readonly unknown[]): boolean => knowsRest && list.includes("...");
  // Of the defaults what the project's own files say no other word about.
  const isSettled = (field: string, value: unknown): boolean =>
    value !== undefined && (field === "cache" || (Array.isArray(value) && !hasRest(value)));
  const defaults = defaultsFor(nxJson, name, target.executor).map(({ place, fields }) => ({
    place,
    fields: Object.fromEntries(
      Object.entries(fields).filter(
        ([field]) => !written.some((own) => isSettled(field, own.fields[field])),
      ),
    ),
  }));
  for (const { place, fields } of [...defaults, ...written]) {
    if (fields["cache"] === true && !target.cache && target.executor !== "nx:noop")
      return cacheConflict(place, target);
    const variables = lostVariables(fields, target);
    if (variables.length > 0) return variablesConflict(place, variables);
    const lost = [
      ...lostDependencies(fields, target, hasRest, projectNames),
      ...lostInputs(fields, target, hasRest),
      ...outputsLost(question, fields, target, hasRest),
    ];
    if (lost.length > 0)
      return `${place} takes the place of what env.cue says, and leaves out ${lost.join(", ")}. Add "..." to its list, which stands for that (Nx 23 and later), or take the list out`;
  }
  return undefined;
}

/** `"cache": true` for all targets of a name is usual, and may be right for those of other projects. */
function cacheConflict(place: string, { metadata }: Target): string {
  const why = /Cached by cuenv: (.+)$/s.exec(metadata.description ?? "")?.[1];
  const reason = why === undefined ? "" : ` (${why})`;
  return `${place} has "cache": true, and this task is not Nx's to cache${reason}. Say "cache": false of this target in the project's project.json, or take it out there: what env.cue says is cached is`;
}

/** Whether a target is said to run until it is ended; the project's own word counts before that of the defaults. */
export function isSaidContinuous(
  { nxJson, written }: Pick<ConflictQuestion, "nxJson" | "written">,
  name: string,
): boolean {
  const said = [...defaultsFor(nxJson, name, "nx:run-commands"), ...written];
  return said.findLast(({ fields }) => "continuous" in fields)?.fields["continuous"] === true;
}

/** Whether Nx is told to keep the target's result; the last word counts, as above. */
export function isSaidCached(
  { nxJson, written }: Pick<ConflictQuestion, "nxJson" | "written">,
  name: string,
): boolean {
  const said = [...defaultsFor(nxJson, name, "nx:run-commands"), ...written];
  return said.findLast(({ fields }) => "cache" in fields)?.fields["cache"] === true;
}

type HasRest = (list: readonly unknown[]) => boolean;

function lostDependencies(
  { dependsOn }: Fields,
  target: Target,
  hasRest: HasRest,
  projectNames: readonly string[],
): readonly string[] {
  if (!Array.isArray(dependsOn) || hasRest(dependsOn)) return [];
  const given = dependsOn.flatMap((each) => ownTarget(each, projectNames));
  return (target.dependsOn ?? [])
    .map((each) => (typeof each === "string" ? each : each.target))
    .filter((each) => !given.some((name) => nameMatches(name, each)))
    .map((each) => `the task ${each}, which it depends on`);
}

/** Of files a list of one's own may be right; what else counts nobody would think of. */
function lostInputs({ inputs }: Fields, target: Target, hasRest: HasRest): readonly string[] {
  if (!Array.isArray(inputs) || hasRest(inputs) || !target.cache) return [];
  const given = new Set(inputs.map((input) => JSON.stringify(input)));
  return (target.inputs ?? [])
    .filter((input) => typeof input !== "string" && !("externalDependencies" in input))
    .map((input) => JSON.stringify(input))
    .filter((text) => !given.has(text))
    .map((text) => `the input ${text}`);
}

function outputsLost(
  question: ConflictQuestion,
  { outputs }: Fields,
  target: Target,
  hasRest: HasRest,
): readonly string[] {
  if (!Array.isArray(outputs) || hasRest(outputs)) return [];
  return lostOutputs(question, target.outputs ?? [], outputs).map((each) => `the output ${each}`);
}

/**
 * Nx merges options field by field, and `env` is one: another `env` takes the place of the variables that bring the definition into Nx' hash, and that say
 * which environment the task has. The definition is of account only where Nx keeps the result.
 */
function lostVariables(fields: Fields, target: Target): readonly string[] {
  const pairs = [
    [fields["options"], target.options],
    ...Object.entries(target.configurations ?? {}).map(([name, own]) => [
      fieldOf(fields["configurations"], name),
      own,
    ]),
  ];
  return pairs.flatMap(([given, own]) => {
    const env = fieldOf(given, "env");
    if (!isObject(env)) return [];
    return Object.entries((fieldOf(own, "env") ?? {}) as Fields)
      .filter(([name, value]) => env[name] !== value)
      .filter(([name]) => target.cache || name !== definitionVariable)
      .map(([name]) => name);
  });
}

function variablesConflict(place: string, names: readonly string[]): string {
  return `${place} has an "env" in its options, which takes the place of variables that say what env.cue has (${[...new Set(names)].join(", ")}). Set the task's variables in env.cue, or name them in its envInclude, and take the "env" out`;
}

/** The target of the same project that an entry of `dependsOn` is, which may be a glob; none: it is about others. */
function ownTarget(dependency: unknown, projectNames: readonly string[]): readonly string[] {
  if (typeof dependency === "string") {
    const prefix = projectNames.find((name) => dependency.startsWith(`${name}:`));
    return [prefix === undefined ? dependency : dependency.slice(prefix.length + 1)];
  }
  const { target, projects, dependencies } = (dependency ?? {}) as Fields;
  if (typeof target !== "string" || dependencies === true) return [];
  const listed: readonly unknown[] = Array.isArray(projects) ? projects : [projects ?? "self"];
  const isOwn = listed.some(
    (each) => each === "self" || projectNames.some((name) => name === each),
  );
  return isOwn ? [target] : [];
}

/** By the target's name, a glob of it, or the executor. Filters by project are not looked at: whatever may match does. */
function defaultsFor(
  { targetDefaults }: NxJson,
  name: string,
  executor: string,
): readonly WrittenTarget[] {
  if (typeof targetDefaults !== "object" || targetDefaults === null) return [];
  return Object.entries(targetDefaults).flatMap(([key, value]: [string, unknown]) => {
    if (key !== executor && !nameMatches(key, name)) return [];
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    return list.flatMap((fields) =>
      typeof fields === "object" && fields !== null && isForPlugin(fields as Fields)
        ? [{ place: `nx.json: targetDefaults[${JSON.stringify(key)}]`, fields: fields as Fields }]
        : [],
    );
  });
}

function isForPlugin({ filter }: Fields): boolean {
  const { plugin } = (filter ?? {}) as { plugin?: unknown };
  return plugin === undefined || plugin === "@cuenv/nx";
}

function fieldOf(value: unknown, name: string): unknown {
  return isObject(value) ? value[name] : undefined;
}
