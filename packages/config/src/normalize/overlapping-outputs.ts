import type { CommandTask } from "../task.ts";
import { patternsOverlap } from "./glob-overlap.ts";
import {
  isMagic,
  literalBase,
  parsePathPattern,
  type PathPattern,
  startsWithSegments,
} from "./path-pattern.ts";

export interface OutputOverlap {
  readonly first: { readonly task: string; readonly path: string };
  readonly second: { readonly task: string; readonly path: string };
  /** Which of all tasks the first one is. */
  readonly order: number;
}

interface Output {
  readonly task: string;
  readonly order: number;
  readonly pattern: PathPattern;
  /** What the task takes out again with `!`. */
  readonly exceptions: readonly PathPattern[];
}

/**
 * Pairs of tasks whose declared outputs can hold the same path: equal, one below the other, or globs that can match
 * one path. A pattern that the other task takes out with a literal `!` folder (`!dist/types`, `!dist/types/**`) does
 * not count. Each task is given once at most, with the first one before it, in the order written, that it overlaps.
 */
export function findOverlappingOutputs(
  tasks: readonly CommandTask[],
  projectDirectory: string,
): readonly OutputOverlap[] {
  const outputs = tasks.flatMap((task, order) => outputsOf(task, order, projectDirectory));
  const byBase = new Map<string, Output[]>();
  const bases = new Map<Output, readonly string[]>();
  for (const output of outputs) {
    const base = literalBase(output.pattern.segments);
    bases.set(output, base);
    const key = folderKey(base, base.length);
    const there = byBase.get(key);
    if (there === undefined) byBase.set(key, [output]);
    else there.push(output);
  }
  const overlaps = new Map<string, OutputOverlap>();
  // Outputs overlap only where one's literal base is the other's or above it: each pair is met at the deeper one.
  for (const output of outputs) {
    const base = bases.get(output) ?? [];
    for (let length = base.length; length >= 0; length -= 1) {
      const others = byBase.get(folderKey(base, length)) ?? [];
      // One is enough to tell; without an end here, n tasks with one output would be n² pairs.
      const other = others.find((candidate) => {
        const isMine = candidate.task === output.task;
        const isMet = length === base.length && candidate.order > output.order;
        return !isMine && !isMet && doOverlap(candidate, output);
      });
      if (other !== undefined) addPair(overlaps, other, output);
    }
  }
  return [...overlaps.values()];
}

function outputsOf(task: CommandTask, order: number, projectDirectory: string): readonly Output[] {
  const patterns = (task.outputs ?? []).flatMap((text) => {
    const result = parsePathPattern(text, projectDirectory);
    return result.ok ? [result.pattern] : [];
  });
  const exceptions = patterns.filter((pattern) => pattern.negated);
  return patterns
    .filter((pattern) => !pattern.negated)
    .map((pattern) => ({ task: task.name, order, pattern, exceptions }));
}

function folderKey(base: readonly string[], length: number): string {
  return base.slice(0, length).join("/").normalize("NFC").toLowerCase();
}

function doOverlap(left: Output, right: Output): boolean {
  if (isTakenOut(left.pattern, right.exceptions) || isTakenOut(right.pattern, left.exceptions))
    return false;
  return patternsOverlap(left.pattern.segments, right.pattern.segments);
}

function isTakenOut(pattern: PathPattern, exceptions: readonly PathPattern[]): boolean {
  return exceptions.some(({ segments }) => {
    const folder = segments.at(-1) === "**" ? segments.slice(0, -1) : segments;
    return !folder.some(isMagic) && startsWithSegments(literalBase(pattern.segments), folder);
  });
}

function addPair(overlaps: Map<string, OutputOverlap>, left: Output, right: Output): void {
  const [first, second] = left.order < right.order ? [left, right] : [right, left];
  const known = overlaps.get(second.task);
  if (known !== undefined && known.order <= first.order) return;
  overlaps.set(second.task, {
    first: { task: first.task, path: first.pattern.path },
    second: { task: second.task, path: second.pattern.path },
    order: first.order,
  });
}
