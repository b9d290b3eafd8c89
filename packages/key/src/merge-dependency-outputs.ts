import { compareUtf8 } from "@cuenv/digest";
import { compileOutputPatterns, compilePatterns, type PatternSet } from "./compile-pattern.ts";
import type { InputNode } from "./key-inputs.ts";
import { advanceSet, startSet } from "./pattern-states.ts";

/** The outputs of one dependency, as its result has them. */
export interface DependencyOutputs {
  readonly task: string;
  /** The folder of its project, which its patterns are relative to. */
  readonly projectDirectory: string;
  /** Its declared outputs. */
  readonly patterns: readonly string[];
  readonly nodes: readonly InputNode[];
}

export interface MergedInputs {
  /** Sorted by path, each once. */
  readonly inputs: readonly InputNode[];
  /** Path → task, for those that came from a dependency. */
  readonly producers: Readonly<Record<string, string>>;
}

/**
 * Puts the outputs of dependencies among a task's own inputs. They are taken from the results, not from the disk: what is
 * on disk below a dependency's declared outputs, stale or deleted, does not count.
 *
 * @param options.ignorePatterns the task's `ignoreInputs`; what they match does not count, whoever made it
 * @throws {CuenvError} KEY_GLOB_INVALID
 */
export function mergeDependencyOutputs(options: {
  readonly inputs: readonly InputNode[];
  readonly dependencies: readonly DependencyOutputs[];
  readonly projectDirectory: string;
  readonly ignorePatterns?: readonly string[] | undefined;
}): MergedInputs {
  const { inputs } = options;
  // By name, so that the result does not depend on the order in which dependencies are listed.
  const dependencies = options.dependencies.toSorted((a, b) => compareUtf8(a.task, b.task));
  if (dependencies.length === 0) return { inputs, producers: {} };
  const ignored = compilePatterns(options.ignorePatterns ?? [], options.projectDirectory);
  const outputs = dependencies.map(({ patterns, projectDirectory }) =>
    compileOutputPatterns(patterns, projectDirectory),
  );
  const merged = new Map<string, InputNode>();
  for (const node of inputs) {
    if (!outputs.some((set) => matchesSet(set, node.path))) merged.set(node.path, node);
  }
  const producers = new Map<string, string>();
  for (const { task, nodes } of dependencies) {
    for (const node of nodes) {
      if (matchesSet(ignored, node.path)) continue;
      merged.set(node.path, node);
      producers.set(node.path, task);
    }
  }
  removeImpossible(merged, producers);
  return {
    inputs: [...merged.values()].toSorted((left, right) => compareUtf8(left.path, right.path)),
    producers: Object.fromEntries([...producers].toSorted((a, b) => compareUtf8(a[0], b[0]))),
  };
}

/**
 * Removes what cannot be beside the outputs of dependencies: on disk a file where a result has a folder, or the
 * other way round. The result's word holds.
 */
function removeImpossible(
  nodes: Map<string, InputNode>,
  producers: ReadonlyMap<string, string>,
): void {
  for (const { path } of nodes.values()) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const above = nodes.get(path.slice(0, end));
      if (above === undefined || above.kind === "directory") continue;
      nodes.delete(producers.has(path) && !producers.has(above.path) ? above.path : path);
    }
  }
}

/** Whether `path`, or a folder above it that counts as a whole, is in the set. */
export function matchesSet(set: PatternSet, path: string): boolean {
  if (set.include.length === 0) return false;
  let states = startSet(set);
  const names = path.split("/");
  for (const [at, name] of names.entries()) {
    const isLast = at === names.length - 1;
    const next = advanceSet(states, name, !isLast);
    if (isLast) return next.matches;
    states = next.states;
  }
  return false;
}
