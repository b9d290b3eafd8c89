import {
  commentAt,
  type JsonValue,
  valueAt,
  withComment,
  withLines,
  withoutComment,
  withoutValue,
  withValue,
} from "./json-text.ts";
import { neutralTask, passedOn, type TurboTask, turboFields } from "./sync-workspace.ts";

/** How the first comment in a task begins that is kept in step: so that one that env.cue has no more is known to be ours. */
const mark = "cuenv turbo sync: from env.cue";
/** What follows: dependencies that look like those of others, and that we wrote (`prices#build`; in a package, what the root's list has of others). */
const markAfter = ", after ";

export interface SyncedFile {
  readonly text: string;
  /** Tasks that were not what they should be. */
  readonly changed: readonly string[];
  /** Tasks that env.cue has no more, and that have fields of others. */
  readonly left: readonly string[];
}

/** What a package has of a task that its own turbo.json says nothing of. */
interface Inherited {
  readonly task: TurboTask;
  /** Dependencies and variables that are not ours. */
  readonly others: readonly string[];
  readonly otherVariables: readonly string[];
  /** Whether the root's turbo.json knows the task. */
  readonly isKnown: boolean;
}

const nothing: Inherited = { task: neutralTask, others: [], otherVariables: [], isKnown: false };

/** The root's turbo.json in step with the tasks. Fields of others stay, and so do dependencies that env.cue cannot have (`^build`), and passThroughEnv. */
export function syncRootFile(
  text: string | undefined,
  tasks: ReadonlyMap<string, TurboTask>,
): SyncedFile {
  const start = text ?? `{\n  "$schema": "./node_modules/turbo/schema.json",\n  "tasks": {}\n}\n`;
  return synced(start, tasks, () => nothing);
}

/** The same of a package's turbo.json; undefined where none is needed: what the root's says holds for the package, too. */
export function syncPackageFile(
  text: string | undefined,
  tasks: ReadonlyMap<string, TurboTask>,
  root: string,
): SyncedFile | undefined {
  const start = text ?? `{\n  "extends": ["//"],\n  "tasks": {}\n}\n`;
  const file = synced(start, tasks, (name) => inheritedFrom(root, name));
  return text === undefined && file.text === start ? undefined : file;
}

function synced(
  start: string,
  tasks: ReadonlyMap<string, TurboTask>,
  inherited: (name: string) => Inherited,
): SyncedFile {
  let text = start;
  const changed: string[] = [];
  const left: string[] = [];
  for (const [name, task] of tasks) {
    const next = withTask(text, name, task, inherited(name));
    if (next !== text) changed.push(name);
    text = next;
  }
  for (const name of Object.keys(recordAt(text, ["tasks"]))) {
    if (tasks.has(name) || commentAt(text, ["tasks", name], mark) === undefined) continue;
    text = withoutTask(text, name);
    changed.push(name);
    if (valueAt(text, ["tasks", name]) !== undefined) left.push(name);
  }
  return { text, changed, left };
}

function withTask(start: string, name: string, task: TurboTask, inherited: Inherited): string {
  const path = ["tasks", name];
  let text = start;
  const known = recordAt(text, path);
  const others = othersIn(known["dependsOn"], ownAfter(text, path));
  const after = [...inherited.others, ...task.dependsOn.filter((each) => each.includes("#"))];
  const wanted = {
    ...task,
    // Of a task that does not end, turbo keeps nothing.
    cache: task.cache && known["persistent"] !== true,
    dependsOn: [...new Set([...inherited.others, ...others, ...task.dependsOn])],
    passThroughEnv: [
      ...inherited.otherVariables,
      ...variablesIn(known["passThroughEnv"]),
      ...task.passThroughEnv,
    ],
  };
  for (const field of turboFields) {
    const from = inherited.task[field];
    if (Object.hasOwn(known, field)) {
      if (isSame(extended(known[field], from), wanted[field])) continue;
      if (isSame(from, wanted[field])) {
        text = withoutValue(text, [...path, field]);
        continue;
      }
    } else if (isSame(from, wanted[field])) continue;
    text = withValue(withLines(text, path), [...path, field], wanted[field]);
  }
  const isEmpty = Object.keys(recordAt(text, path)).length === 0;
  // What is the same in the root's file needs no word; what is nowhere else must stand to be known, though nothing is said of it.
  if (isEmpty && inherited.isKnown)
    return commentAt(text, path, mark) === undefined ? text : withoutValue(text, path);
  if (valueAt(text, path) === undefined) text = withValue(text, path, {});
  const words = after.length === 0 ? mark : `${mark}${markAfter}${[...new Set(after)].join(", ")}`;
  if (commentAt(text, path, mark)?.text === words) return text;
  return withComment(withLines(text, path), path, { prefix: mark, text: words });
}

function withoutTask(start: string, name: string): string {
  const path = ["tasks", name];
  let text = start;
  for (const field of turboFields) {
    const value = valueAt(text, [...path, field]);
    if (value === undefined) continue;
    const kept =
      field === "dependsOn"
        ? othersIn(value, ownAfter(text, path))
        : field === "passThroughEnv"
          ? variablesIn(value)
          : [];
    text =
      kept.length > 0
        ? withValue(text, [...path, field], kept)
        : withoutValue(text, [...path, field]);
  }
  return Object.keys(recordAt(text, path)).length > 0
    ? withoutComment(text, path, mark)
    : withoutValue(text, path);
}

function inheritedFrom(root: string, name: string): Inherited {
  const path = ["tasks", name];
  if (valueAt(root, path) === undefined) return nothing;
  const own = recordAt(root, path);
  const given = turboFields.filter((field) => Object.hasOwn(own, field));
  const fields = Object.fromEntries(given.map((field) => [field, own[field]]));
  return {
    task: { ...neutralTask, ...fields },
    others: othersIn(own["dependsOn"], ownAfter(root, path)),
    otherVariables: variablesIn(own["passThroughEnv"]),
    isKnown: true,
  };
}

/** Dependencies on tasks of other packages, and variables (turbo 1), but those that we wrote. */
function othersIn(list: unknown, ours: readonly string[]): readonly string[] {
  if (!Array.isArray(list)) return [];
  return list.filter(
    (each): each is string =>
      typeof each === "string" && /^[$^]|.#/.test(each) && !ours.includes(each),
  );
}

function variablesIn(list: unknown): readonly string[] {
  if (!Array.isArray(list)) return [];
  const ours = new Set<unknown>(Object.values(passedOn).flat());
  return list.filter((each): each is string => typeof each === "string" && !ours.has(each));
}

function ownAfter(text: string, path: readonly string[]): readonly string[] {
  const words = commentAt(text, path, mark)?.text.slice(mark.length) ?? "";
  return words.startsWith(markAfter) ? words.slice(markAfter.length).split(", ") : [];
}

/** `$TURBO_EXTENDS$` in a list of a package stands for the list of the root. */
function extended(list: unknown, inherited: JsonValue): unknown {
  if (!Array.isArray(list) || !list.includes("$TURBO_EXTENDS$")) return list;
  const rest = (list as unknown[]).filter((each) => each !== "$TURBO_EXTENDS$");
  return [...(Array.isArray(inherited) ? (inherited as unknown[]) : []), ...rest];
}

/** In which order a list stands is all the same to turbo. */
function isSame(left: unknown, right: unknown): boolean {
  if (!Array.isArray(left) || !Array.isArray(right)) return left === right;
  return sortedText(left) === sortedText(right);
}

function sortedText(list: readonly unknown[]): string {
  return JSON.stringify([...new Set(list.map(String))].toSorted());
}

function recordAt(text: string, path: readonly string[]): Readonly<Record<string, unknown>> {
  const value = valueAt(text, path);
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, unknown>>) : {};
}
