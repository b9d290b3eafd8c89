import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileNames } from "./name-matcher.ts";

/** The same as a regular expression: slower, and right by looking at it. */
function model(pattern: string): RegExp {
  const body = pattern.replaceAll(
    /[^*?]/g,
    (letter) => `\\u{${letter.codePointAt(0)?.toString(16)}}`,
  );
  return new RegExp(`^${body.replaceAll("*", "[^]*").replaceAll("?", "[^]")}$`, "u");
}

describe("lists of variable names", () => {
  it.each<[string, string, boolean]>([
    ["A", "A", true],
    ["A", "AB", false],
    ["A", "a", false],
    ["A*", "A", true],
    ["A*", "ABC", true],
    ["A*", "BA", false],
    ["*_TOKEN", "NPM_TOKEN", true],
    ["*_TOKEN", "NPM_TOKENS", false],
    ["*", "", true],
    ["**", "A", true],
    ["A**", "A", true],
    ["A?", "A", false],
    ["A?", "AB", true],
    ["?", "", false],
    ["A?B", "AxB", true],
    ["A?B", "AB", false],
    ["*A*B", "xAAyAB", true],
    ["*A*B", "xBA", false],
    ["[AB]", "A", false],
    ["[AB]", "[AB]", true],
    ["A*", "A*", true],
    ["", "", true],
    ["", "A", false],
  ])("row 10: %s and %s: %s", (pattern, name, matches) => {
    expect(compileNames([pattern])(name)).toBe(matches);
    expect(compileNames(["OTHER", pattern, "X?Y"])(name)).toBe(matches);
  });

  it("name nothing when they are empty", () => {
    expect(compileNames([])("A")).toBe(false);
    expect(compileNames([])("")).toBe(false);
  });

  it("match what a regular expression of the same meaning matches", () => {
    const text = (letters: string) =>
      fc.string({ unit: fc.constantFrom(...letters.split("")), maxLength: 8 });
    fc.assert(
      fc.property(fc.array(text("ab[*?"), { maxLength: 3 }), text("ab["), (patterns, name) => {
        const wanted = patterns.some((pattern) => model(pattern).test(name));
        expect([patterns, name, compileNames(patterns)(name)]).toEqual([patterns, name, wanted]);
      }),
      { numRuns: 3000 },
    );
  });
});
