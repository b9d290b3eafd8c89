import type { CommandTask, EnvironmentValue } from "@cuenv/config";
import type { OpenProject } from "../project/open-project.ts";

/** Where a task's variables come from. Lists of names are sorted. */
export interface DeclaredEnvironment {
  /** env.cue says the value. */
  readonly set: readonly string[];
  /** Variables of whoever runs cuenv that env.cue passes on, or puts into others. */
  readonly host: readonly string[];
  /** A command gives the value, and it is hidden. */
  readonly secrets: readonly string[];
  /** Globs of the host's variables that are in the key. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** `loose`: the task sees all of the host's variables. */
  readonly mode: "strict" | "loose";
}

export function declaredEnvironment(open: OpenProject, task: CommandTask): DeclaredEnvironment {
  const { settings } = open.cache;
  const { cache } = task;
  const set: string[] = [];
  const secrets: string[] = [];
  const host = new Set<string>();
  for (const [name, value] of Object.entries({ ...open.project.env, ...task.env })) {
    const parts = partsOf(value);
    for (const part of parts) if (isKind(part, "host")) host.add(part.name);
    if (parts.some((part) => isKind(part, "secret"))) secrets.push(name);
    else if (parts.every((part) => typeof part === "string")) set.push(name);
  }
  return {
    set: set.toSorted(),
    host: [...host].toSorted(),
    secrets: secrets.toSorted(),
    include: cache.envInclude ?? settings.envInclude,
    exclude: cache.envExclude ?? settings.envExclude,
    mode: cache.envMode ?? settings.envMode,
  };
}

/** The tasks whose printed output a task has in its arguments or variables. */
export function printedBy(open: OpenProject, task: CommandTask): readonly string[] {
  const words = task.action.kind === "argv" ? task.action.argv : [];
  const values = [...words, ...Object.values({ ...open.project.env, ...task.env })];
  const names = values
    .flatMap(partsOf)
    .flatMap((part) => (isKind(part, "taskOutput") ? part.task : []));
  return [...new Set(names)].toSorted();
}

type Part = Exclude<EnvironmentValue, { readonly kind: "joined" }>;

function partsOf(value: EnvironmentValue): readonly Part[] {
  if (typeof value !== "string" && value.kind === "joined") return value.parts.flatMap(partsOf);
  return [value];
}

function isKind<Kind extends Exclude<Part, string>["kind"]>(
  part: Part,
  kind: Kind,
): part is Extract<Part, { readonly kind: Kind }> {
  return typeof part !== "string" && part.kind === kind;
}
