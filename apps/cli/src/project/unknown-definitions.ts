import type { Project } from "@cuenv/config";
import type { EvaluationInput } from "@cuenv/cue";
import type { Location } from "@cuenv/errors";
import { readFileSync } from "node:fs";

type Warning = Project["warnings"][number];

/**
 * What to say of definitions of cuenv's schemas (`schema.#Postgres`) that ours does not have: nothing checked what was written with
 * them. The place is looked for in the files that were evaluated, as the evaluator does not tell it.
 */
export function unknownDefinitionWarnings(
  names: readonly string[],
  inputs: readonly EvaluationInput[],
): readonly Warning[] {
  if (names.length === 0) return [];
  const files = inputs.flatMap(({ kind, path }) =>
    kind === "file" && path.endsWith(".cue") ? [path] : [],
  );
  return names.map((name) => {
    const location = firstUse(name.slice(name.indexOf("#")), files);
    return {
      message: `\`${name}\` is not in the schemas of this version: what it says is not checked`,
      ...(location === undefined ? {} : { location }),
    };
  });
}

/** A package can be imported under any name, so only the definition's own is looked for. */
function firstUse(definition: string, files: readonly string[]): Location | undefined {
  for (const file of files) {
    const lines = linesOf(file);
    for (const [index, line] of lines.entries()) {
      const column = line.indexOf(`.${definition}`);
      const after = line[column + 1 + definition.length];
      if (column === -1 || /^\s*\/\//.test(line) || (after !== undefined && /[\w$#]/.test(after)))
        continue;
      return { file, line: index + 1, column: column + 2 };
    }
  }
  return undefined;
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").split("\n");
  } catch {
    return [];
  }
}
