import type { CommandTask } from "../task.ts";
import { expandBraces, patternsOverlap } from "./glob-overlap.ts";
import { literalBase, parsePathPattern, type PathPattern } from "./path-pattern.ts";

/**
 * Whether a task reads, by patterns of its own, what another one makes: one of its input `files` lies in these outputs, or it names a
 * place in them. A pattern that only passes by (`**`) reads what is there and not ignored by git, which `files` say.
 * @param files relative to the workspace root, as the patterns found them
 */
export function readsOutputs(
  reader: CommandTask,
  maker: CommandTask,
  {
    projectDirectory,
    files,
  }: { readonly projectDirectory: string; readonly files: Iterable<string> },
): boolean {
  const parse = (texts: readonly string[]): readonly PathPattern[] =>
    texts.flatMap((text) => {
      const result = parsePathPattern(text, projectDirectory);
      return result.ok && !result.pattern.negated ? [result.pattern] : [];
    });
  const outputs = parse(maker.outputs ?? []);
  if (reader.cache.cacheKey !== undefined || outputs.length === 0) return false;
  const inputs = parse([...(reader.inputs ?? []), ...reader.cache.extraInputs])
    .flatMap((input) => expandBraces(input.segments.join("/")))
    .map((path) => path.split("/"));
  const isNamed = outputs.some(({ segments }) =>
    inputs.some(
      (input) =>
        literalBase(input).length >= literalBase(segments).length &&
        patternsOverlap(input, segments),
    ),
  );
  if (isNamed) return true;
  for (const file of files) {
    const path = file.split("/");
    if (outputs.some(({ segments }) => patternsOverlap(path, segments))) return true;
  }
  return false;
}
