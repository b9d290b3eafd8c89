import { sep } from "node:path";
import type { Location } from "@cuenv/errors";
import type { Evaluation } from "./evaluation.ts";
import type { EvaluatorAnswer, EvaluatorResult } from "./wire.ts";

export interface DecodedAnswer {
  readonly evaluation: Evaluation;
  readonly packageName: string;
  readonly unknownDefinitions: readonly string[];
}

/** The evaluator speaks of `/C:/x` where Windows says `C:\x`. */
export function nativePath(path: string): string {
  return sep === "\\" ? path.slice(1).replaceAll("/", sep) : path;
}

/** Also on the way of a warm run: no import that costs. */
export function decodeAnswer(answer: EvaluatorAnswer): DecodedAnswer {
  const result = JSON.parse(answer) as EvaluatorResult;
  const files = result.files.map(nativePath);
  const positions: Record<string, Location> = {};
  for (const [pointer, [file, line, column]] of Object.entries(result.positions)) {
    positions[pointer] = { file: files[file] ?? "", line, column };
  }
  const { value, references, attributes } = result;
  return {
    evaluation: { value, positions, references, attributes },
    packageName: result.package,
    unknownDefinitions: byFolder(result.unknown),
  };
}

/** In the order met, folder by folder. The evaluator goes through a map of Go's, whose folders come in another order each time. */
function byFolder(definitions: readonly string[]): readonly string[] {
  const folderOf = (name: string): string => name.slice(0, name.indexOf(".#"));
  const folders = [...new Set(definitions.map(folderOf))].toSorted();
  return folders.flatMap((folder) => definitions.filter((name) => folderOf(name) === folder));
}
