import { isDataObject, ownField, type Data } from "../evaluated-package.ts";
import type { FieldNode, StructNode } from "./parse-cue.ts";

/** A field in the text, and the declaration that it is in: `tasks: build: cache: true` is one, with three labels. */
export interface Occurrence {
  readonly field: FieldNode;
  /** Where the outermost label of its declaration begins. */
  readonly start: number;
  /** The struct that holds the declaration. */
  readonly struct: StructNode;
}

/** Every field with one of these names, wherever it is written. */
export function findFields(file: StructNode, names: ReadonlySet<string>): readonly Occurrence[] {
  const found: Occurrence[] = [];
  const visitStruct = (struct: StructNode): void => {
    for (const field of struct.fields) visitField(field, field.labelStart, struct);
    for (const embedded of struct.embedded) visitStruct(embedded);
  };
  const visitField = (field: FieldNode, start: number, struct: StructNode): void => {
    if (field.name !== undefined && names.has(field.name)) found.push({ field, start, struct });
    const { value } = field;
    if (value.kind === "field") visitField(value, start, struct);
    else if (value.kind === "struct") visitStruct(value);
    else for (const inner of value.structs) visitStruct(inner);
  };
  visitStruct(file);
  return found;
}

/** Where the evaluator says that a field of the result was written, in this file. */
export interface WrittenField {
  readonly pointer: string;
  readonly offset: number;
}

/**
 * The pointers, cut after `segment`, of which a part is written inside the occurrence: what it gives a value to. A template gives it
 * to many.
 */
export function ownersOf(
  { field }: Occurrence,
  pattern: RegExp,
  written: readonly WrittenField[],
): readonly string[] {
  const found = new Set<string>();
  for (const { pointer, offset } of written) {
    if (offset < field.labelStart || offset >= field.end) continue;
    const owner = pattern.exec(pointer)?.[0];
    if (owner !== undefined) found.add(owner);
  }
  return [...found];
}

export function valueAt(value: Data, pointer: string): Data | undefined {
  let at: Data | undefined = value;
  for (const segment of pointer.split("/").slice(1)) {
    const name = segment.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(at)) at = at[Number(name)] as Data | undefined;
    else at = isDataObject(at) ? ownField(at, name) : undefined;
  }
  return at;
}
