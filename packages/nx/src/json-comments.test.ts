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
