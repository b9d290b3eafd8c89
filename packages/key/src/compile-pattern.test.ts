import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  compilePatterns,
  maxPatternLength,
  maxPatterns,
  resolvePatterns,
} from "./compile-pattern.ts";
import { expandBraces } from "./expand-braces.ts";
import { matchesSet } from "./merge-dependency-outputs.ts";

function matching(
  patterns: readonly string[],
  project: string,
  paths: readonly string[],
): string[] {
  const set = compilePatterns(patterns, project);
  return paths.filter((path) => matchesSet(set, path));
}

describe("what is said of a pattern that cannot be used", () => {
  const refusal = (pattern: string): unknown => {
    try {
      return compilePatterns([pattern], "p");
    } catch (error) {
      return error;
    }
  };

  it.each([
    ["", 'Write "." for the whole folder.'],
    [
      "[a",
      "To name a file with such a character in it, write the character in brackets: [[] or [{].",
    ],
    ["a\\b", "Separate folders with /, and write a special character in brackets: [*]."],
    ["/a", "Write // for the workspace root, or a path relative to the project's folder."],
    [
      "@(a|b)",
      "Write alternatives as {a,b}, and exceptions as a pattern of their own with ! in front.",
    ],
    [
      "!(ab|cd)",
      "Write alternatives as {a,b}, and exceptions as a pattern of their own with ! in front.",
    ],
    ["../..", "Inputs and outputs are files of the workspace; declare tools with `runtime`."],
    ["a\0", undefined],
  ])("%j: what to do", (pattern, hint) => {
    expect(refusal(pattern)).toMatchObject({ code: "KEY_GLOB_INVALID", hint });
  });

  it("shows no more of it than anybody reads", () => {
    const shown = (pattern: string): string => (refusal(pattern) as Error).message;
    expect(shown(`/${"a".repeat(99)}`)).toContain(`"/${"a".repeat(99)}"`);
    expect(shown(`/${"a".repeat(100)}`)).toContain(`"/${"a".repeat(99)}…"`);
  });

  it("takes as many, and as long ones, as the limits say", () => {
    const longest = "a".repeat(maxPatternLength);
    expect(compilePatterns([longest], "").include).toHaveLength(1);
    expect(() => compilePatterns([`${longest}a`], "")).toThrow("longer than");
    const half = Array.from({ length: maxPatterns / 2 }, (_, at) => `f${at}`);
    const exceptions = half.map((pattern) => `!${pattern}`);
    expect(compilePatterns([...half, ...exceptions], "").exclude).toHaveLength(maxPatterns / 2);
    expect(() => compilePatterns([...half, ...exceptions, "!one"], "")).toThrow(
      expect.objectContaining({ code: "KEY_GLOB_INVALID" }),
    );
  });
});

describe("compilePatterns", () => {
  it("refuses hostile and malformed patterns with a clear error (T17)", () => {
    const refused: readonly (readonly [pattern: string, reason: RegExp])[] = [
      ["", /empty/],
      ["!", /empty/],
      ["/etc/passwd", /absolute/],
      ["../../../etc/passwd", /leaves the workspace/],
      ["//..", /leaves the workspace/],
      ["src/*/../../x", /behind a wildcard/],
      ["a\0b", /NUL/],
      ["a\\b", /backslash/],
      ["[abc", /not closed/],
      ["a/[b/c]", /not closed/],
      ["{a,b", /brace { is not closed/],
      ["!(a|b)", /extended globs/],
      ["src/?(a).ts", /extended globs/],
      ["a".repeat(5_000), /longer than/],
      ["{a,b}".repeat(30), /more than 1000 patterns/],
      ["\uD800", /Unicode/],
    ];
    for (const [pattern, reason] of refused) {
      const compile = (): unknown => compilePatterns([pattern], "p/q");
      expect(compile, pattern).toThrow(reason);
      expect(compile, pattern).toThrow(expect.objectContaining({ code: "KEY_GLOB_INVALID" }));
    }
  });

  it("bounds the number of patterns", () => {
    const many = Array.from({ length: 10_001 }, (_, at) => `f${at}`);
    expect(() => compilePatterns(many, "")).toThrow(/more than 10000 patterns/);
  });

  it("takes patterns from the project's folder, or from the root with //", () => {
    const paths = ["p/src/a.ts", "src/a.ts", "p/lib/b.ts", "lib/b.ts"];
    expect(matching(["src/**"], "p", paths)).toEqual(["p/src/a.ts"]);
    expect(matching(["//src/**"], "p", paths)).toEqual(["src/a.ts"]);
    expect(matching(["../lib"], "p", paths)).toEqual(["lib/b.ts"]);
    expect(matching(["./src//./a.ts"], "p", paths)).toEqual(["p/src/a.ts"]);
    expect(matching(["."], "p", paths)).toEqual(["p/src/a.ts", "p/lib/b.ts"]);
  });

  it("lets an exception win, wherever it stands", () => {
    const paths = ["a.ts", "a.test.ts", "deep/b.test.ts"];
    expect(matching(["**", "!**/*.test.ts"], "", paths)).toEqual(["a.ts"]);
    expect(matching(["!**/*.test.ts", "**"], "", paths)).toEqual(["a.ts"]);
    expect(matching(["!**/*.test.ts"], "", paths)).toEqual([]);
  });

  it("takes a folder with everything below when its name is spelt out, and files only for wildcards", () => {
    const paths = ["p/src/deep/a.ts", "q/src/b.ts", "p/src.ts", "c"];
    expect(matching(["*/src"], "", paths)).toEqual(["p/src/deep/a.ts", "q/src/b.ts"]);
    expect(matching(["*"], "", paths)).toEqual(["c"]);
    expect(matching(["*/"], "", paths)).toEqual(["p/src/deep/a.ts", "q/src/b.ts", "p/src.ts"]);
    expect(matching(["p/s*"], "", paths)).toEqual(["p/src.ts"]);
  });

  it("finds a file that is spelt like a class", () => {
    const paths = ["app/[slug]/page.tsx", "app/s/page.tsx", "app/x/page.tsx"];
    expect(matching(["app/[slug]/page.tsx"], "", paths)).toEqual(paths.slice(0, 2));
  });
});

describe("expandBraces", () => {
  it("gives the alternatives, nested and with slashes in them", () => {
    expect(expandBraces("a{b,c/d}e")).toEqual(["abe", "ac/de"]);
    expect(expandBraces("{a,{b,c}d}")).toEqual(["a", "bd", "cd"]);
    expect(expandBraces("x{,.y}")).toEqual(["x", "x.y"]);
    expect(expandBraces("{a}{b,c}")).toEqual(["{a}b", "{a}c"]);
    expect(expandBraces("[{]a,b}")).toEqual(["[{]a,b}"]);
    expect(expandBraces("{{name}}")).toEqual(["{{name}}"]);
  });

  it("never loses or invents text beside the braces", () => {
    const word = fc.constantFrom("", "a", "b.c", "*");
    fc.assert(
      fc.property(
        word,
        fc.array(word, { minLength: 2, maxLength: 4 }),
        word,
        (start, items, end) => {
          expect(expandBraces(`${start}{${items.join(",")}}${end}`)).toEqual(
            items.map((item) => start + item + end),
          );
        },
      ),
    );
  });
});

describe("resolvePatterns", () => {
  it("gives one spelling for all spellings of a list", () => {
    const expected = ["!p/dist/tmp", "p/dist", "p/out/**", "shared"];
    expect(resolvePatterns(["dist", "out/**", "//shared", "!dist/tmp"], "p")).toEqual(expected);
    expect(
      resolvePatterns(["./dist/", "//shared//", "../shared", "!./dist/tmp", "out//**"], "p"),
    ).toEqual(expected);
  });

  it("refuses outputs outside the workspace", () => {
    expect(() => resolvePatterns(["../.."], "p")).toThrow(/leaves the workspace/);
  });
});
