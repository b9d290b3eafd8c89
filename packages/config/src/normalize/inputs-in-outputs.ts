import type { CommandTask } from "../task.ts";
import { ownsPath, patternsOverlap } from "./glob-overlap.ts";
import { literalBase, parsePathPattern, type PathPattern } from "./path-pattern.ts";

export interface InputInOutput {
  readonly input: string;
  readonly output: string;
}

/**
 * The first input of a cached task that can hold nothing but outputs of the same task. None of these files is in its key, so a
 * hit would put old ones over what was written since. Undefined also where that is not certain.
 */
export function findInputInOutput(
  { inputs = [], outputs = [], cache }: CommandTask,
  projectDirectory: string,
): InputInOutput | undefined {
  if (!cache.enabled || outputs.length === 0) return undefined;
  const parse = (texts: readonly string[]): readonly PathPattern[] =>
    texts.flatMap((text) => {
      const result = parsePathPattern(text, projectDirectory);
      return result.ok ? [result.pattern] : [];
    });
  const owned = parse(outputs);
  for (const input of parse([...inputs, ...cache.extraInputs])) {
    if (input.negated || isTakenOut(input, owned)) continue;
    const output = owned.find((pattern) => !pattern.negated && holds(pattern, input));
    if (output !== undefined) return { input: input.path, output: output.path };
  }
  return undefined;
}

function isTakenOut(input: PathPattern, outputs: readonly PathPattern[]): boolean {
  return outputs.some(
    ({ negated, segments }) => negated && patternsOverlap(input.segments, segments),
  );
}

/**
 * An output owns all that is below what it matches, so it is enough that it matches the folder that an input begins with, or
 * all that is in this folder.
 */
function holds(output: PathPattern, input: PathPattern): boolean {
  if (output.segments.join("/") === input.segments.join("/")) return true;
  const last = output.segments.findLastIndex((segment) => !/^\*+$/.test(segment));
  return ownsPath(output.segments.slice(0, last + 1), literalBase(input.segments));
}
