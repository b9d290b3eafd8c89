import { nearName } from "@cuenv/errors";
import { type Data, isDataObject, kindOf, ownField, quoted } from "../evaluated-package.ts";
import { pointerTo } from "../json-pointer.ts";
import { named } from "../struct.ts";
import type { TaskAction } from "../task.ts";
import type { Context } from "./context.ts";
import { followReference } from "./references.ts";
import { refuseForeign } from "./refusals.ts";
import type { TaskNames } from "./task-names.ts";
import type { TaskNode, TaskTree } from "./task-tree.ts";

export interface Dependencies {
  /** Full names that the node itself declares, each once, in the order written. */
  readonly declared: readonly string[];
  /** Set where a dependency is another project's: the task must not run without it. */
  readonly refusal: TaskAction | undefined;
}

/** `dependencies` by name and `dependsOn` by reference; both may hold either. */
export function readDependencies(context: Context, names: TaskNames, node: TaskNode): Dependencies {
  const declared = new Set<string>();
  let refusal: TaskAction | undefined;
  for (const field of ["dependencies", "dependsOn"]) {
    for (const [index, item] of (node.struct?.list(field) ?? []).entries()) {
      if (node.struct === undefined) continue;
      const pointer = pointerTo(node.struct.at(field), index);
      const name = names.byValue(item, pointer, node);
      if (name !== undefined) {
        declared.add(name);
        continue;
      }
      if (item === null) continue; // an optional one that is not set
      const foreign = foreignName(context, names, item, pointer, node);
      if (foreign !== undefined) refusal ??= refuseForeign(node.name, foreign);
      else addUnknown(context, names, item, pointer, node, field);
    }
  }
  return { declared: [...declared], refusal };
}

/**
 * What a dependency is called that is no task of this project by its very form: cuenv 0.6's `package:path:task`, or
 * a reference to a service or an image of 0.54. A near name of a task of ours is rather a misspelling.
 */
function foreignName(
  context: Context,
  names: TaskNames,
  item: Data,
  pointer: string,
  node: TaskNode,
): string | undefined {
  if (typeof item === "string") {
    const isQualified = /^[^:\s]+(?::[^:\s]+){2,}$/.test(item);
    return isQualified && nearName(item, names.candidates(node)) === undefined ? item : undefined;
  }
  const target = followReference(context, pointer) ?? "";
  const other = /^\/(?:services|images)\/([^/]+)/.exec(target);
  if (other !== null) return target.slice(1).replaceAll("/", ".");
  const ref = isDataObject(item) ? ownField(item, "ref") : undefined;
  return typeof ref === "string" && ref.startsWith("#") ? ref : undefined;
}

function addUnknown(
  context: Context,
  names: TaskNames,
  item: Data,
  pointer: string,
  node: TaskNode,
  field: string,
): void {
  const what = node.struct?.what ?? node.name;
  if (typeof item === "string") {
    const message = `cannot read ${what}: there is no task ${quoted(item)} to depend on`;
    const hint = taskHint(item, names.candidates(node));
    context.problems.add("CONFIG_UNKNOWN_TASK", pointer, message, hint);
    return;
  }
  if (isDataObject(item)) {
    const message = `cannot read ${what}: which task ${named(field)} means here cannot be told`;
    const hint = "refer to a task below `tasks`, or write its name in `dependencies`";
    context.problems.add("CONFIG_UNKNOWN_TASK", pointer, message, hint);
    return;
  }
  const message = `cannot read ${what}: ${named(field)} holds names and tasks, not ${kindOf(item)}`;
  context.problems.add("CONFIG_TYPE", pointer, message);
}

const listedNames = 20;

/** The near name, else those that there are: `cuenv task` cannot list them while a name is wrong. */
export function taskHint(name: string, candidates: readonly string[]): string {
  const near = nearName(name, candidates);
  if (near !== undefined) return `did you mean ${quoted(near)}?`;
  const more =
    candidates.length > listedNames ? ` and ${candidates.length - listedNames} more` : "";
  return candidates.length === 0
    ? "there is no other task"
    : `tasks: ${candidates.slice(0, listedNames).join(", ")}${more}`;
}

/**
 * All that each node waits for: what it declares, what the groups around it declare, and, in a sequence, the member
 * before. Only a node's own members take part: a task that is a member by reference stays as it is written.
 */
export function inheritDependencies(
  tree: TaskTree,
  names: TaskNames,
  declared: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, readonly string[]> {
  const complete = new Map<string, readonly string[]>();
  const before = membersBefore(tree, names);
  // Parents come before their members in the list.
  for (const node of tree.nodes) {
    const inherited = node.parent === undefined ? [] : (complete.get(node.parent.name) ?? []);
    const step = before.get(node.name);
    complete.set(node.name, [
      ...new Set([
        ...(declared.get(node.name) ?? []),
        ...inherited,
        ...(step === undefined ? [] : [step]),
      ]),
    ]);
  }
  return complete;
}

function membersBefore(tree: TaskTree, names: TaskNames): ReadonlyMap<string, string> {
  const before = new Map<string, string>();
  for (const node of tree.nodes) {
    if (node.kind !== "sequence") continue;
    let previous: string | undefined;
    for (const member of node.members) {
      const name = names.member(member);
      if (member.kind === "own" && previous !== undefined && name !== undefined)
        before.set(name, previous);
      previous = name ?? previous;
    }
  }
  return before;
}
