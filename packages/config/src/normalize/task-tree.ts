import { isDeepStrictEqual } from "node:util";
import {
  type Data,
  type DataObject,
  isDataList,
  isDataObject,
  kindOf,
  ownField,
} from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { openStruct, type Struct } from "../struct.ts";
import type { Context } from "./context.ts";
import { isOutputReference } from "./environment-values.ts";
import { followReference, isWithin, valueAt } from "./references.ts";
import { groupFields, outputFields, taskFields } from "./task-fields.ts";

/** More levels of groups than anybody writes; keeps hostile nesting off the stack. */
const maximumDepth = 64;
const longestName = 200;

/** A task, group or sequence as it was found, before its fields are read. */
export interface TaskNode {
  readonly kind: "command" | "group" | "sequence";
  readonly name: string;
  readonly pointer: string;
  /** Undefined for a list, which has no fields of its own, and for a task that is another by reference. */
  readonly struct: Struct | undefined;
  readonly parent: TaskNode | undefined;
  readonly members: Member[];
}

/** A node's own child, or a reference to a task that is written elsewhere. */
export type Member =
  | { readonly kind: "own"; readonly node: TaskNode }
  | { readonly kind: "reference"; readonly pointer: string; readonly target: string };

export interface TaskTree {
  /** Every node, parents first, in the order written. */
  readonly nodes: readonly TaskNode[];
  readonly byName: ReadonlyMap<string, TaskNode>;
  readonly byPointer: ReadonlyMap<string, TaskNode>;
  /** Members that are references: pointer → what they refer to. */
  readonly targets: ReadonlyMap<string, string>;
}

/** Finds the tasks of all three generations below `tasks`, with their full names. */
export function readTaskTree(context: Context): TaskTree {
  const building: Building = {
    context,
    topLevel: new Map(),
    nodes: [],
    byName: new Map(),
    byPointer: new Map(),
    targets: new Map(),
  };
  const tasks = ownField(context.value, "tasks");
  if (tasks === undefined) return building;
  if (!isDataObject(tasks)) {
    const message = `cannot read tasks: \`tasks\` must be a struct, not ${kindOf(tasks)}`;
    context.problems.add("CONFIG_TYPE", "/tasks", message);
    return building;
  }
  for (const [name, value] of Object.entries(tasks)) {
    const pointer = pointerTo("/tasks", name);
    const outputs = outputsText(value);
    if (outputs === undefined) continue;
    const same = building.topLevel.get(outputs);
    if (same !== undefined) same.found.push({ pointer, value });
    else building.topLevel.set(outputs, { found: [{ pointer, value }], byContent: new Map() });
  }
  for (const [name, value] of Object.entries(tasks)) {
    const pointer = pointerTo("/tasks", name);
    visit(building, { value, name, pointer, parent: undefined, depth: 0 });
  }
  return building;
}

interface Visit {
  readonly value: Data;
  readonly name: string;
  readonly pointer: string;
  readonly parent: TaskNode | undefined;
  readonly depth: number;
}

interface SameOutputs {
  readonly found: { readonly pointer: string; readonly value: Data }[];
  /** Made when there is something to compare: content → pointer of the first task that has it. */
  readonly byContent: Map<string, string>;
}

interface Building {
  readonly context: Context;
  /** The tasks with outputs directly below `tasks`, by these outputs. */
  readonly topLevel: Map<string, SameOutputs>;
  readonly nodes: TaskNode[];
  readonly byName: Map<string, TaskNode>;
  readonly byPointer: Map<string, TaskNode>;
  readonly targets: Map<string, string>;
}

function register({ context, nodes, byName, byPointer }: Building, node: TaskNode): void {
  const { problems } = context;
  if (!isGoodName(node.name)) {
    const message = `cannot read task ${JSON.stringify(node.name.slice(0, longestName))}: it is not a name for a task`;
    const hint = `a name has 1 to ${longestName} characters, no control characters, and does not begin with "-"`;
    problems.add("CONFIG_NAME", node.pointer, message, hint);
    return;
  }
  const other = byName.get(node.name);
  if (other !== undefined) {
    const message = `cannot name task ${node.name}: another task has the same full name`;
    const hint = "a member's full name is its group's, a dot and its own: rename one of the two";
    problems.add("CONFIG_NAME_COLLISION", node.pointer, message, hint);
    return;
  }
  nodes.push(node);
  byName.set(node.name, node);
  byPointer.set(node.pointer, node);
  if (node.parent !== undefined) node.parent.members.push({ kind: "own", node });
}

function visit(building: Building, at: Visit): void {
  const { context, targets } = building;
  const { problems } = context;
  const { value, name, pointer, parent, depth } = at;
  const target = taskReference(context, pointer, value) ?? copiedTask(building, value, pointer);
  if (target !== undefined && parent !== undefined) {
    targets.set(pointer, target);
    parent.members.push({ kind: "reference", pointer, target });
    return;
  }
  if (target !== undefined) {
    // A task under a second name: a group of the one, so that it runs once and owns its outputs once.
    targets.set(pointer, target);
    const members: Member[] = [{ kind: "reference", pointer, target }];
    register(building, { kind: "group", name, pointer, struct: undefined, parent, members });
    return;
  }
  if (value === null) return;
  const written = writtenFields(value);
  const struct = isDataObject(written)
    ? openStruct(problems, written, pointer, `task ${name}`)
    : undefined;
  const kind = isDataList(value) ? "sequence" : struct && kindOfStruct(context, struct);
  if (kind === undefined || depth > maximumDepth) {
    const reason =
      kind === undefined
        ? `it must be a struct or a list, not ${kindOf(value)}`
        : "it is nested too deeply";
    problems.add("CONFIG_TYPE", pointer, `cannot read task ${name}: ${reason}`);
    return;
  }
  const node: TaskNode = { kind, name, pointer, struct, parent, members: [] };
  register(building, node);
  if (kind !== "command") visitMembers(building, node, written, depth);
}

function visitMembers(building: Building, node: TaskNode, value: Data, depth: number): void {
  const { pointer, name } = node;
  const inner = node.struct?.raw("tasks");
  const isWrapped = inner !== undefined && node.struct?.raw("type") !== "group";
  const members = isWrapped ? inner : value;
  const base = isWrapped ? pointerTo(pointer, "tasks") : pointer;
  const entries: [string | number, Data][] = isDataList(members)
    ? [...members.entries()]
    : Object.entries(members as DataObject).filter(
        ([field]) => isWrapped || !groupFields.has(field),
      );
  for (const [field, member] of entries) {
    const full = typeof field === "number" ? `${name}[${field}]` : `${name}.${field}`;
    const at = pointerTo(base, field);
    visit(building, { value: member, name: full, pointer: at, parent: node, depth: depth + 1 });
  }
}

/**
 * Where a task points that is nothing but a reference to another one: then it is that one. What was added to it makes
 * it a task of its own. The evaluator may leave the copy out and hand over null in its place.
 */
function taskReference(context: Context, pointer: string, value: Data): string | undefined {
  const target = followReference(context, pointer);
  if (target === undefined || !target.startsWith("/tasks/") || isWithin(pointer, target))
    return undefined;
  if (value === null) return target;
  const original = valueAt(context.value, target) ?? null;
  return isDeepStrictEqual(writtenFields(original), writtenFields(value)) ? target : undefined;
}

/**
 * The task directly below `tasks` that a value is a copy of, for evaluations that do not say what was referred to.
 * Only tasks with outputs are looked at: twice the same outputs cannot be meant, twice the same `echo` can.
 */
function copiedTask(building: Building, value: Data, pointer: string): string | undefined {
  const outputs = outputsText(value);
  const same = outputs === undefined ? undefined : building.topLevel.get(outputs);
  if (same === undefined) return undefined;
  const { context } = building;
  const isAlone = same.found.length === 1 && same.found[0]?.pointer === pointer;
  if (isAlone) return undefined;
  if (same.byContent.size === 0)
    for (const other of same.found.toReversed())
      same.byContent.set(contentOf(context, other.value, other.pointer), other.pointer);
  // The first of equal ones is the task; the others are it under another name.
  const original = same.byContent.get(contentOf(context, value, pointer));
  return original === pointer ? undefined : original;
}

function contentOf(context: Context, value: Data, pointer: string): string {
  return JSON.stringify([writtenFields(value), referred(context, value, pointer)]);
}

function outputsText(value: Data): string | undefined {
  const outputs = isDataObject(value) ? ownField(value, "outputs") : undefined;
  return isDataList(outputs) && outputs.length > 0 ? JSON.stringify(outputs) : undefined;
}

/** What the items of `dependsOn` refer to, which the evaluator leaves out of the value. */
function referred(context: Context, value: Data, pointer: string): readonly (string | undefined)[] {
  const dependsOn = isDataObject(value) ? ownField(value, "dependsOn") : undefined;
  if (!isDataList(dependsOn)) return [];
  return dependsOn.map((_, index) => followReference(context, `${pointer}/dependsOn/${index}`));
}

/** A task or group without the references to its own output that the schema adds: they bear its name. */
function writtenFields(value: Data): Data {
  if (!isDataObject(value) || !isOutputReference(ownField(value, "stdout") ?? null)) return value;
  return Object.fromEntries(
    Object.entries(value).filter(
      ([field, data]) => !outputFields.includes(field) || !isOutputReference(data),
    ),
  );
}

function isGoodName(name: string): boolean {
  return name.length <= longestName && name.trim() !== "" && !/^-|[\p{Cc}\u2028\u2029]/u.test(name);
}

/** Which kind of node a struct is. A struct that is neither is taken for a task, whose fields then tell what is wrong. */
function kindOfStruct(context: Context, struct: Struct): TaskNode["kind"] {
  if (struct.raw("type") === "group") return "group";
  if (isAction(struct.raw("command")) || isAction(struct.raw("script"))) return "command";
  const inner = struct.raw("tasks");
  if (isDataList(inner)) return "sequence";
  if (isDataObject(inner)) return "group";
  const members = Object.entries(struct.data).filter(
    ([field, value]) =>
      (value !== null || taskReference(context, struct.at(field), null) !== undefined) &&
      !groupFields.has(field),
  );
  const isGroup = members.length > 0 && members.every(([field, value]) => isMember(field, value));
  if (!isGroup) return "command";
  // cuenv 0.5: a group's members run one after the other with `mode: "sequential"`.
  return struct.raw("mode") === "sequential" ? "sequence" : "group";
}

/** Whether a field of a struct without a command is a task in it, and not a field of a task that lacks its command. */
function isMember(field: string, value: Data): boolean {
  if (isDataObject(value)) return !taskFields.has(field) || looksLikeTask(value);
  return !taskFields.has(field) && (value === null || isDataList(value));
}

function isAction(value: Data | undefined): boolean {
  return value !== undefined && !isDataObject(value);
}

function looksLikeTask(value: DataObject): boolean {
  return (
    isAction(ownField(value, "command")) ||
    isAction(ownField(value, "script")) ||
    ownField(value, "tasks") !== undefined ||
    ownField(value, "type") === "group"
  );
}
