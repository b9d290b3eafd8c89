import type { Difference } from "./command-difference.ts";

export type CauseKind =
  | "first"
  | "schema"
  | "digestFunction"
  | "epoch"
  | "namespace"
  | "cacheKey"
  | "inputs"
  | "file"
  | "dependencyOutput"
  | "dependency"
  | "variable"
  | "environmentMode"
  | "command"
  | "argument"
  | "workingDirectory"
  | "outputs"
  | "tool"
  | "platform"
  | "customComponent"
  | "timeout";

/** One component of a key that differs; `before` or `after` is missing where there was none. */
export interface ChangedComponent {
  readonly name: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
}

/** Why two keys differ: all components of one kind. */
export interface Cause {
  readonly kind: CauseKind;
  /** Of the first component. */
  readonly name: string;
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  /** In a few words, for one line: "src/index.ts changed". */
  readonly text: string;
  readonly components: readonly ChangedComponent[];
}

/** By name, as one text each. */
export type Components = ReadonlyMap<string, string>;

export function compare(before: Components, after: Components): ChangedComponent[] {
  const changed: ChangedComponent[] = [];
  for (const [name, value] of after) {
    if (before.get(name) !== value) changed.push({ name, before: before.get(name), after: value });
  }
  for (const [name, value] of before) {
    if (!after.has(name)) changed.push({ name, before: value, after: undefined });
  }
  return changed;
}

export function causeOf(kind: CauseKind, difference: Difference | undefined): Cause | undefined {
  return difference && { kind, ...difference, components: [difference] };
}

/** How many names a line gives. */
const namesShown = 3;

export function listCause(
  kind: CauseKind,
  [noun, plural]: readonly [noun: string, plural: string],
  before: Components,
  after: Components,
): Cause | undefined {
  return group(kind, compare(before, after), `${noun} `, plural);
}

export function group(
  kind: CauseKind,
  changed: readonly ChangedComponent[],
  prefix: string,
  plural: string,
): Cause | undefined {
  const [first] = changed;
  if (first === undefined) return undefined;
  const text =
    changed.length === 1
      ? `${prefix}${shortenPath(first.name)} ${verb(first)}`
      : `${changed.length} ${plural} ${sharedVerb(changed)}: ${shortNames(changed)}`;
  return { kind, ...first, text, components: changed };
}

export function shortNames(changed: readonly ChangedComponent[]): string {
  const names = changed.slice(0, namesShown).map(({ name }) => shortenPath(name));
  return [...names, ...(changed.length > namesShown ? ["…"] : [])].join(", ");
}

/** The end of a path says more than its beginning. */
export function shortenPath(path: string): string {
  return path.length > 60 ? `…${path.slice(-59)}` : path;
}

function verb({ before, after }: ChangedComponent): string {
  if (before === undefined) return "added";
  return after === undefined ? "removed" : "changed";
}

function sharedVerb(changed: readonly ChangedComponent[]): string {
  const verbs = new Set(changed.map(verb));
  return verbs.size === 1 ? [...verbs].join("") : "changed";
}

/** On one short line. */
export function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
