import { nearName } from "@cuenv/errors";
import {
  type Data,
  type DataObject,
  isDataList,
  isDataObject,
  kindOf,
  ownField,
  quoted,
} from "./evaluated-package.ts";
import { pointerTo } from "./json-pointer.ts";
import type { Problems } from "./problems.ts";

/**
 * Reads the fields of one struct. Each reading function gives undefined when the field is absent, and when it is
 * wrong: then it has told `problems`.
 */
export interface Struct {
  readonly data: DataObject;
  readonly pointer: string;
  /** What it is, for messages: `task build`. */
  readonly what: string;
  readonly problems: Problems;
  at(field: string): string;
  has(field: string): boolean;
  raw(field: string): Data | undefined;
  string(field: string): string | undefined;
  boolean(field: string): boolean | undefined;
  integer(field: string, range: { minimum: number; maximum: number }): number | undefined;
  list(field: string): readonly Data[] | undefined;
  strings(field: string): readonly string[] | undefined;
  struct(field: string, what?: string): Struct | undefined;
  /** The first of several spellings of one field; two of them at once are a problem. */
  spelling(...fields: readonly string[]): string;
  wrongType(field: string, expected: string): undefined;
  wrongValue(field: string, reason: string, hint?: string): undefined;
  /** Fields that are not among the known ones are problems; fields that start with `_` or `#` are nobody's business. */
  refuseUnknown(known: ReadonlySet<string>): void;
}

export function openStruct(
  problems: Problems,
  data: DataObject,
  pointer: string,
  what: string,
): Struct {
  const at = (field: string): string => pointerTo(pointer, field);

  function wrongType(field: string, expected: string): undefined {
    const found = kindOf(ownField(data, field));
    problems.add(
      "CONFIG_TYPE",
      at(field),
      `cannot read ${what}: ${named(field)} must be ${expected}, not ${found}`,
    );
    return undefined;
  }

  function read<Value extends Data>(
    field: string,
    expected: string,
    is: (value: Data) => value is Value,
  ): Value | undefined {
    const value = ownField(data, field);
    if (value === undefined) return undefined;
    return is(value) ? value : wrongType(field, expected);
  }

  const self: Struct = {
    data,
    pointer,
    what,
    problems,
    at,
    wrongType,
    has: (field) => ownField(data, field) !== undefined,
    raw: (field) => ownField(data, field),
    string: (field) => read(field, "a string", (value) => typeof value === "string"),
    boolean: (field) => read(field, "true or false", (value) => typeof value === "boolean"),
    list: (field) => read(field, "a list", isDataList),
    integer: (field, range) => readInteger(self, field, range),
    strings: (field) => readStrings(self, field),
    struct(field, name = `${what}, ${named(field)}`) {
      const value = read(field, "a struct", isDataObject);
      return value === undefined ? undefined : openStruct(problems, value, at(field), name);
    },
    spelling(...fields) {
      const [first = "", second] = fields.filter((field) => self.has(field));
      if (second !== undefined) {
        const reason = `${named(first)} and ${named(second)} are two spellings of one field`;
        problems.add(
          "CONFIG_VALUE",
          at(second),
          `cannot read ${what}: ${reason}`,
          "keep the first",
        );
      }
      return first === "" ? (fields[0] ?? "") : first;
    },
    wrongValue(field, reason, hint) {
      problems.add(
        "CONFIG_VALUE",
        at(field),
        `cannot read ${what}: ${named(field)} ${reason}`,
        hint,
      );
      return undefined;
    },
    refuseUnknown: (known) => refuseUnknown(self, known),
  };
  return self;
}

/** A field's name in a message. */
export function named(field: string): string {
  return /^[\w-]{1,60}$/.test(field) ? `\`${field}\`` : quoted(field);
}

function readInteger(
  struct: Struct,
  field: string,
  { minimum, maximum }: { minimum: number; maximum: number },
): number | undefined {
  const value = struct.raw(field);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value))
    return struct.wrongType(field, "a whole number");
  if (value < minimum || value > maximum)
    return struct.wrongValue(field, `must be from ${minimum} to ${maximum}, not ${value}`);
  return value;
}

function readStrings(struct: Struct, field: string): readonly string[] | undefined {
  const list = struct.list(field);
  if (list === undefined) return undefined;
  const strings: string[] = [];
  for (const [index, item] of list.entries()) {
    if (typeof item === "string") strings.push(item);
    else {
      struct.problems.add(
        "CONFIG_TYPE",
        pointerTo(struct.at(field), index),
        `cannot read ${struct.what}: item ${index} of ${named(field)} must be a string, not ${kindOf(item)}`,
      );
    }
  }
  return strings;
}

const longestList = 12;

function knownText(known: readonly string[]): string | undefined {
  return known.length <= longestList ? `its fields are ${known.join(", ")}` : undefined;
}

function refuseUnknown(struct: Struct, known: ReadonlySet<string>): void {
  for (const field of Object.keys(struct.data)) {
    if (known.has(field) || field.startsWith("_") || field.startsWith("#")) continue;
    if (!struct.has(field)) continue;
    const near = nearName(field, known);
    struct.problems.add(
      "CONFIG_UNKNOWN_FIELD",
      struct.at(field),
      `cannot read ${struct.what}: ${named(field)} is not a field of it`,
      near === undefined ? knownText([...known]) : `did you mean \`${near}\`?`,
    );
  }
}
