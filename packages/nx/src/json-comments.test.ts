import { array, assert, boolean, constantFrom, letrec, oneof, property, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { isPlainJson, withListEntry, withoutComments } from "./json-comments.ts";

describe("withListEntry", () => {
  it.each([
    ["{}", '{\n  "plugins": [1]\n}'],
    ['{ // a\n  "b": 1\n}', '{\n  "plugins": [1], // a\n  "b": 1\n}'],
    ['{"plugins": [] /* p */}', '{"plugins": [1] /* p */}'],
    ['{"plugins": ["a" /* , ] */, // b\n]}', '{"plugins": ["a", 1 /* , ] */, // b\n]}'],
    ['{"x": {"plugins": []}, "plugins": [["]"]]}', '{"x": {"plugins": []}, "plugins": [["]"], 1]}'],
    [
      '// "plugins": []\n{"y": "plugins", "z": []}',
      '// "plugins": []\n{\n  "plugins": [1],"y": "plugins", "z": []}',
    ],
  ])("adds at the end of the list, and keeps comments: %s", (text, expected) => {
    const added = withListEntry(text, "plugins", "1");
    expect(added).toBe(expected);
    const before = JSON.parse(withoutComments(text)) as { plugins?: unknown[] };
    const plugins = [...(before.plugins ?? []), 1];
    expect(JSON.parse(withoutComments(added))).toEqual({ ...before, plugins });
  });
});

it("comments, and commas at the end of lists, are no plain JSON; what looks like them in strings is", () => {
  expect(isPlainJson('{"a": "// /* ,]"}')).toBe(true);
  for (const text of ["{} // a", "/* a */ {}", "[1,]", "\uFEFF{}"])
    expect(isPlainJson(text), text).toBe(false);
});

interface Written {
  readonly text: string;
  /** Without comments, and commas at the end. */
  readonly plain: string;
}

const gap = constantFrom(
  ...' |\t|\n|\r\n|\r||// a " , ]\n|// a\r\n|// a\r|// */ /*\n|/**/|/*/ */|/* , ] } " */|/* \n // */'.split(
    "|",
  ),
);
// Not the key `"` beside the key `\`: JSON.parse of Node 26.10 takes one for the other.
const word = constantFrom('"a"', '"b"', '"//c"', '"/* ,] */"', '"d\\\\"', '"e\\""', '",]"', '"[{"');
const atom = oneof(word, constantFrom("1", "null")).map((text) => ({ text, plain: text }));

function joined(
  items: readonly Written[],
  [open, close]: readonly [string, string],
  [hasComma, end]: readonly [boolean, string],
): Written {
  const comma = hasComma && items.length > 0 ? "," : "";
  return {
    text: `${open}${items.map(({ text }) => text).join(",")}${comma}${end}${close}`,
    plain: `${open}${items.map(({ plain }) => plain).join(",")}${close}`,
  };
}

const { object } = letrec<{ value: Written; list: Written; object: Written }>((tie) => {
  const last = tuple(boolean(), gap);
  const spaced = tuple(gap, tie("value"), gap).map(([before, { text, plain }, after]) => ({
    text: before + text + after,
    plain,
  }));
  const field = tuple(gap, word, gap, spaced).map(([before, name, after, { text, plain }]) => ({
    text: `${before}${name}${after}:${text}`,
    plain: `${name}:${plain}`,
  }));
  return {
    value: oneof({ maxDepth: 3 }, atom, tie("list"), tie("object")),
    list: tuple(array(spaced, { maxLength: 3 }), last).map(([items, end]) =>
      joined(items, ["[", "]"], end),
    ),
    object: tuple(array(field, { maxLength: 3 }), last).map(([fields, end]) =>
      joined(fields, ["{", "}"], end),
    ),
  };
});

it("reads, and adds to, an object with comments and line ends of every kind anywhere", () => {
  const all = tuple(constantFrom("", "\uFEFF"), gap, object, gap);
  assert(
    property(all, ([mark, before, { text, plain }, after]) => {
      const file = mark + before + text + after;
      const value = JSON.parse(plain) as { a?: unknown };
      expect(JSON.parse(withoutComments(file))).toEqual(value);
      const isOnce = (plain.match(/"a":/g) ?? []).length < 2;
      if (!isOnce || !(value.a === undefined || Array.isArray(value.a))) return;
      const added = JSON.parse(withoutComments(withListEntry(file, "a", "7"))) as object;
      expect(added).toEqual({ ...value, a: [...(value.a ?? []), 7] });
    }),
    { numRuns: 2000 },
  );
});
