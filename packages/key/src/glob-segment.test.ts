import * as fc from "fast-check";
import picomatch from "picomatch";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../test/cpu-milliseconds.ts";
import { compilePatterns } from "./compile-pattern.ts";
import { compileSegment } from "./glob-segment.ts";
import { matchesSet } from "./merge-dependency-outputs.ts";

function matches(pattern: string, name: string): boolean {
  const matcher = compileSegment(pattern);
  expect(matcher).toBeDefined();
  return matcher?.(name) === true;
}

describe("compileSegment", () => {
  it("matches stars, question marks and classes, dots included and case counting", () => {
    expect(matches("*", "")).toBe(true);
    expect(matches("*.ts", ".ts")).toBe(true);
    expect(matches("*.ts", "a.d.ts")).toBe(true);
    expect(matches("*.ts", "a.TS")).toBe(false);
    expect(matches("a?c", "abc")).toBe(true);
    expect(matches("a?c", "ac")).toBe(false);
    expect(matches("?", "\u{1F600}")).toBe(true);
    expect(matches("[a-c]x", "bx")).toBe(true);
    expect(matches("[!a-c]x", "bx")).toBe(false);
    expect(matches("[^a-c]x", "dx")).toBe(true);
    expect(matches("[]]", "]")).toBe(true);
    expect(matches("[a-]", "-")).toBe(true);
    expect(matches("[[:digit:]_]", "7")).toBe(true);
    expect(matches("[[:digit:]_]", "x")).toBe(false);
    expect(matches("[\u{1F600}-\u{1F602}]", "\u{1F601}")).toBe(true);
    expect(matches("ab*ba", "aba")).toBe(false);
    expect(matches("ab*ba", "abba")).toBe(true);
    expect(matches("a*b*c*", "a1b2c3")).toBe(true);
    expect(matches("\\*", "*")).toBe(true);
    expect(matches("\\*", "x")).toBe(false);
  });

  it("refuses malformed classes", () => {
    for (const pattern of ["[", "[a", "[]", "[!]", "[z-a]", "[[:nope:]]", "x\\"]) {
      expect(compileSegment(pattern)).toBeUndefined();
    }
  });

  it("agrees with picomatch on stars, question marks and classes", () => {
    const piece = fc.constantFrom("a", "b", ".", "-", "*", "?", "[ab]", "[^a]", "[a-b]");
    const pattern = fc
      .array(piece, { minLength: 1, maxLength: 6 })
      .map((pieces) => pieces.join(""));
    const name = fc
      .array(fc.constantFrom("a", "b", "c", ".", "-"), { minLength: 1, maxLength: 7 })
      .map((letters) => letters.join(""))
      // picomatch never lets a wildcard match the names that are no files.
      .filter((text) => text !== "." && text !== "..");
    fc.assert(
      fc.property(pattern, name, (glob, text) => {
        // Two stars in a row mean one here, and folders there.
        fc.pre(!glob.includes("**"));
        // Its shortcut for this one pattern wants a character behind the dot; a shell, and we, do not.
        fc.pre(glob !== "*.*" || !text.endsWith("."));
        const oracle = picomatch(glob, { dot: true, nobrace: true, noextglob: true });
        expect([glob, text, matches(glob, text)]).toEqual([glob, text, oracle(text)]);
      }),
      { numRuns: 3_000 },
    );
  });
});

describe("whole patterns", () => {
  it("agree with picomatch on folders and **", () => {
    const segment = fc.constantFrom("a", "b", "*", "a*", "?", "**");
    const pattern = fc
      .array(segment, { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"));
    const path = fc
      .array(fc.constantFrom("a", "b", "ab", ".c"), { minLength: 1, maxLength: 5 })
      .map((parts) => parts.join("/"));
    fc.assert(
      fc.property(pattern, path, (glob, file) => {
        // A path without wildcards, or with a plain last segment, also means the folder of that name.
        fc.pre(/[*?]/.test(glob.split("/").at(-1) ?? ""));
        // `a/**` is what is below a; picomatch also means a itself.
        fc.pre(
          !picomatch(glob.replace(/(?:\/\*\*)+$/, "") || "**", { dot: true })(file) ||
            !glob.endsWith("/**"),
        );
        const ours = matchesSet(compilePatterns([glob], ""), file);
        expect([glob, file, ours]).toEqual([glob, file, picomatch(glob, { dot: true })(file)]);
      }),
      { numRuns: 3_000 },
    );
  });

  it("are matched in bounded time, however hostile (T17)", () => {
    const hostile = [
      "*a*a*a*a*a*a*a*a*b",
      "*".repeat(500) + "b",
      "**/".repeat(200) + "b",
      "**/a/".repeat(100) + "b",
      "a?*".repeat(100) + "b",
      "[a-z]*".repeat(100) + "b",
      "*[!b]".repeat(100) + "b",
      "{a,aa,aaa}*{a,aa,aaa}*{a,aa,aaa}*{a,aa,aaa}*b",
      "(a)".repeat(200) + "*b",
      "*a".repeat(900) + "b",
    ];
    for (const pattern of hostile) {
      const taken = cpuMilliseconds(() => {
        const set = compilePatterns([pattern], "");
        expect(matchesSet(set, "a".repeat(120))).toBe(false);
        expect(matchesSet(set, Array.from({ length: 60 }, () => "a").join("/"))).toBe(false);
      });
      expect(taken).toBeLessThan(50);
    }
  });
});
