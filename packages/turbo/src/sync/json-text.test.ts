import { array, assert, constantFrom, option, property, tuple } from "fast-check";
import { parse } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import {
  commentAt,
  withComment,
  withLines,
  withoutComment,
  withoutValue,
  withValue,
} from "./json-text.ts";

const text = `{
  // Said of all.
  "globalEnv": ["CI"], // and of this
  "tasks": {
    "lint": {"cache": false},
    /* before build */
    "build": {
      "outputs": ["dist/**"], // what it makes
    },
  },
}
`;

describe("a JSON text with comments", () => {
  it("gets a value where one stood, and nothing else changes", () => {
    expect(withValue(text, ["tasks", "build", "outputs"], ["out"])).toBe(
      text.replace('["dist/**"]', '["out"]'),
    );
  });

  it("gets a field behind the last one and its comment, with or without a comma there", () => {
    expect(withValue(text, ["tasks", "build", "cache"], false)).toBe(
      text.replace("what it makes\n", 'what it makes\n      "cache": false,\n'),
    );
    const without = '{\n\t"a": 1 // one\n}';
    expect(withValue(without, ["b"], [2])).toBe('{\n\t"a": 1, // one\n\t"b": [2]\n}');
    expect(withValue(text, ["tasks", "lint", "env"], ["X"])).toContain(
      '"lint": {"cache": false, "env": ["X"]},',
    );
    expect(withValue('{"a": {}}', ["a", "b", "c"], 1)).toBe(
      '{"a": {\n  "b": {\n    "c": 1\n  }\n}}',
    );
  });

  it("keeps the ends of lines that it has, and breaks long lists", () => {
    const list = Array.from({ length: 12 }, (_, at) => `packages/number-${at}/**`);
    const made = withValue('{\r\n  "a": 1\r\n}\r\n', ["b"], list);
    expect(made).toContain('"b": [\r\n    "packages/number-0/**",\r\n');
    expect(made.replaceAll("\r\n", "")).not.toContain("\n");
  });

  it("loses a field with its line and the comment behind it, and no other comment", () => {
    expect(withoutValue(text, ["tasks", "build"])).toBe(`{
  // Said of all.
  "globalEnv": ["CI"], // and of this
  "tasks": {
    "lint": {"cache": false},
    /* before build */
  },
}
`);
    expect(withoutValue(text, ["globalEnv"])).not.toContain("and of this");
    expect(withoutValue('{"a": 1, "b": 2}', ["b"])).toBe('{"a": 1 }');
    expect(withoutValue('{"a": 1, "b": 2}', ["a"])).toBe('{"b": 2}');
    expect(withoutValue('{"a": 1}', ["c"])).toBe('{"a": 1}');
  });

  it("has one comment of ours as the first thing in an object, and loses it again", () => {
    const path = ["tasks", "build"];
    const once = withComment(text, path, { prefix: "ours", text: "ours: one" });
    expect(once).toContain('"build": {\n      // ours: one\n      "outputs"');
    const twice = withComment(once, path, { prefix: "ours", text: "ours: two" });
    expect(commentAt(twice, path, "ours")?.text).toBe("ours: two");
    expect(twice).not.toContain("one\n");
    expect(withoutComment(twice, path, "ours")).toBe(text);
    const line = withComment(text, ["tasks", "lint"], { prefix: "ours", text: "ours" });
    expect(line).toContain('"lint": { /* ours */ "cache": false}');
    expect(commentAt(line, ["tasks", "lint"], "ours")?.text).toBe("ours");
  });

  it("gets a line for each field where all stand on one, unless a comment is among them", () => {
    expect(withLines(text, ["tasks", "lint"])).toContain(
      '"lint": {\n      "cache": false\n    },\n',
    );
    for (const same of ['{"a": {"b": 1 /* c */}}', '{"a": {}}', '{"a": {\n"b": 1}}', '{"a": 1}'])
      expect(withLines(same, ["a"])).toBe(same);
    // A comment to the end of the line would swallow what stands there.
    const mixed = '{"a": {"b": [\n1], "c": 2}}';
    const made = withComment(mixed, ["a"], { prefix: "ours", text: "ours" });
    expect(parse(made)).toEqual({ a: { b: [1], c: 2 } });
  });

  it("says what it was told, whatever it was before", () => {
    const key = constantFrom("a", "b", "c");
    const value = constantFrom<readonly string[] | boolean>([], ["x"], true, false);
    const step = tuple(key, key, option(value));
    const starts = constantFrom(
      '{"a": {"b": 1}, "c": {"a": [\n1], "b": true}}',
      "{}",
      "{\n}",
      '{ // c\n  "a": {"b": 1,},\n  // d\n}\n',
      text,
    );
    const holds = property(starts, array(step, { maxLength: 8 }), (start, steps) => {
      let made: string = start;
      const expected = parse(start) as Record<string, Record<string, unknown>>;
      for (const [first, second, to] of steps) {
        made = withComment(withLines(made, [first]), [first], { prefix: "ours", text: second });
        if (to === null) {
          made = withoutValue(made, [first, second]);
          delete expected[first]?.[second];
        } else {
          made = withValue(made, [first, second], to);
          (expected[first] ??= {})[second] = to;
        }
      }
      const errors: never[] = [];
      expect(parse(made, errors, { allowTrailingComma: true })).toEqual(expected);
      expect(errors).toEqual([]);
      // A comma at the end only where there was one.
      const [had, has] = [start, made].map((each) => /,\s*(?:\/\/.*\s*)?\}/.test(each));
      expect(has === true && had !== true, made).toBe(false);
    });
    assert(holds, { numRuns: 300 });
  });
});
