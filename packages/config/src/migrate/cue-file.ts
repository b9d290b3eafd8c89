import type { Data } from "../evaluated-package.ts";
import type { Occurrence, WrittenField } from "./cue-places.ts";
import type { CueSyntax, FieldNode } from "./parse-cue.ts";
import { hasOwnLines, indentAt, removal, type TextEdit } from "./text-edit.ts";

export interface CueFile {
  readonly text: string;
  readonly syntax: CueSyntax;
  readonly written: readonly WrittenField[];
  /** The whole evaluated package. */
  readonly value: Data;
}

/** Comments that stand inside of a field, and in none of the texts that stay. */
export function commentsIn(
  { text, syntax }: CueFile,
  field: FieldNode,
  kept: readonly string[],
): readonly string[] {
  return syntax.comments
    .filter(({ start }) => start > field.labelStart && start < field.end)
    .map(({ start, end }) => text.slice(start, end))
    .filter((comment) => !kept.some((each) => each.includes(comment)));
}

/** Takes a field out, and leaves the comments in it. */
export function removeField(file: CueFile, { field, start }: Occurrence): TextEdit {
  const { text } = file;
  const comments = commentsIn(file, field, []);
  if (comments.length === 0 || !hasOwnLines(text, start, field.end, "//"))
    return removal(text, start, field.end, "//");
  const comma = /^[ \t]*,/.exec(text.slice(field.end))?.[0] ?? "";
  return {
    start,
    end: field.end + comma.length,
    text: comments.join(`\n${indentAt(text, start)}`),
  };
}
