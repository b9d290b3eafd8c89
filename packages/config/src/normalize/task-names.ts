import { isDeepStrictEqual } from "node:util";
import { type Data, isDataObject, ownField } from "../evaluated-package.ts";
import { parentPointer } from "../json-pointer.ts";
import type { Context } from "./context.ts";
import { followReference, isWithin } from "./references.ts";
import type { Member, TaskNode, TaskTree } from "./task-tree.ts";

/** Finds tasks by what configurations call them: names, pointers, embedded copies. All answers are full names. */
export interface TaskNames {
  /** A name as seen from `from`: first among its group's members, then those of the groups around it, then all tasks. */
  byName(name: string, from: TaskNode): string | undefined;
  byPointer(pointer: string): string | undefined;
  /** The task that a value in `dependsOn` is, which stands at `pointer`. */
  byValue(value: Data, pointer: string, from: TaskNode): string | undefined;
  member(member: Member): string | undefined;
  /** Every name that `from` could have meant. */
  candidates(from: TaskNode): readonly string[];
}

export function createTaskNames(context: Context, tree: TaskTree): TaskNames {
  const mirrors = mirrorPrefixes(context, tree);

  function byPointer(pointer: string): string | undefined {
    const seen = new Set<string>();
    const open = [pointer];
    // The same value may be known by several pointers: what it refers to, and what refers to it.
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (seen.has(at) || seen.size > maximumPointers) continue;
      seen.add(at);
      const node = tree.byPointer.get(at);
      if (node !== undefined) return node.name;
      const target = tree.targets.get(at) ?? followReference(context, at);
      if (target !== undefined) open.push(target);
      for (const [from, to] of mirrors) if (isWithin(at, to)) open.push(from + at.slice(to.length));
    }
    return undefined;
  }

  function byName(name: string, from: TaskNode): string | undefined {
    for (let scope = from.parent; scope !== undefined; scope = scope.parent) {
      const full = `${scope.name}.${name}`;
      if (full !== from.name && tree.byName.has(full)) return full;
      const reference = scope.members.find(
        (member) => member.kind === "reference" && lastPart(member.pointer) === name,
      );
      const target = reference && memberName(reference);
      if (target !== undefined && target !== from.name) return target;
    }
    return tree.byName.get(name)?.name;
  }

  function memberName(member: Member): string | undefined {
    return member.kind === "own" ? member.node.name : byPointer(member.target);
  }

  return {
    byName,
    byPointer,
    member: memberName,
    byValue(value, pointer, from) {
      const target = followReference(context, pointer);
      const referred = target === undefined ? undefined : byPointer(target);
      if (referred !== undefined) return referred;
      if (typeof value === "string") return byName(value, from);
      const embedded = embeddedName(value);
      if (embedded !== undefined) return tree.byName.get(embedded)?.name ?? byName(embedded, from);
      const equal = tree.nodes.filter(
        (node) => node !== from && isDeepStrictEqual(valueOf(node), value),
      );
      return equal.length === 1 ? equal[0]?.name : undefined;
    },
    candidates(from) {
      const local: string[] = [];
      for (let scope = from.parent; scope !== undefined; scope = scope.parent)
        for (const member of scope.members)
          if (member.kind === "own") local.push(member.node.name.slice(scope.name.length + 1));
      return [...local, ...tree.byName.keys()].filter((name) => name !== from.name);
    },
  };
}

const maximumPointers = 64;

/** References of `tasks` or of whole tasks to other fields: [pointer, what it names]. */
function mirrorPrefixes(context: Context, tree: TaskTree): readonly (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const pointer of ["/tasks", ...tree.byPointer.keys()]) {
    const target = followReference(context, pointer);
    if (target !== undefined) found.push([pointer, target]);
  }
  return found;
}

function lastPart(pointer: string): string {
  const part = pointer.slice(parentPointer(pointer).length + 1);
  return part.replaceAll("~1", "/").replaceAll("~0", "~");
}

/** cuenv 0.54's tasks carry their full name in their output references; a group's name is that of its members. */
function embeddedName(value: Data): string | undefined {
  if (!isDataObject(value)) return undefined;
  const stdout = ownField(value, "stdout");
  const name = isDataObject(stdout) ? ownField(stdout, "cuenvTask") : undefined;
  if (typeof name === "string" && name !== "") return name;
  if (ownField(value, "type") !== "group") return undefined;
  for (const [field, member] of Object.entries(value)) {
    const inner = isDataObject(member) ? embeddedName(member) : undefined;
    if (inner?.endsWith(`.${field}`)) return inner.slice(0, -field.length - 1);
  }
  return undefined;
}

function valueOf(node: TaskNode): Data | undefined {
  return node.struct?.data;
}
