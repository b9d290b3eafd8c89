import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codesOf, oneTask, problemsOf, projectOf } from "../../test/projects.ts";
import { expandBraces, patternsOverlap } from "./glob-overlap.ts";
import { parsePathPattern } from "./path-pattern.ts";

describe("paths", () => {
  const shown = (text: string, projectDirectory = "apps/web"): string => {
    const result = parsePathPattern(text, projectDirectory);
    return result.ok ? result.pattern.path : result.reason;
  };

  it.each([
    ["src", "src"],
    ["./src/", "src/"],
    ["src//a/./b", "src/a/b"],
    ["a/../b", "b"],
    [".", "."],
    ["..", "//apps"],
    ["../api/src", "//apps/api/src"],
    ["../../x", "//x"],
    ["//", "//"],
    ["//apps/web/src", "src"],
    ["//apps/web", "."],
    ["//tools/**", "//tools/**"],
    ["**/*.ts", "**/*.ts"],
    ["@scope/a+b/*", "@scope/a+b/*"],
    ["{a,b}/{1..3}", "{a,b}/{1..3}"],
  ])("reads %s as %s", (text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  it.each([
    ["/etc", "is an absolute path"],
    ["C:\\x", "is an absolute path"],
    ["c:/x", "is an absolute path"],
    ["../../..", "leads out of the workspace"],
    ["//..", "leads out of the workspace"],
    ["src/../../../../x", "leads out of the workspace"],
    ["*/../../../../x", "has `..` after a wildcard"],
    ["{a,..}/x", "has `..` within braces"],
    ["{../x,a}", "has `..` within braces"],
    ["{a/..,b}", "has `..` within braces"],
    ["", "is empty"],
    [" ", "is empty"],
    ["a\0", "contains a NUL byte"],
    ["!!a", "begins with two exclamation marks"],
  ])("refuses %j, which %s", (text, reason) => {
    expect(shown(text)).toBe(reason);
  });

  it("reads what it shows back to the same, and never out of the workspace", () => {
    const segment = fc.constantFrom("a", "b", "..", ".", "", "*", "**", "{c,d}", "apps", "web");
    const text = fc
      .tuple(fc.constantFrom("", "//", "!"), fc.array(segment, { minLength: 1, maxLength: 6 }))
      .map(([prefix, segments]) => prefix + segments.join("/"));
    fc.assert(
      fc.property(text, fc.constantFrom("", "apps/web"), (pattern, project) => {
        const once = parsePathPattern(pattern, project);
        if (!once.ok) return;
        expect(once.pattern.segments).not.toContain("..");
        const again = parsePathPattern(once.pattern.path, project);
        expect(again).toEqual({ ok: true, pattern: { ...once.pattern, negated: false } });
      }),
      { numRuns: 500 },
    );
  });
});

describe("outputs", () => {
  it.each([["/etc/x"], ["../../x"], ["//../x"]])("refuses %s, outside the workspace", (output) => {
    const run = (): unknown => oneTask({ outputs: [output] }, { projectDirectory: "app" });
    expect(codesOf(run)).toEqual(["CONFIG_OUTSIDE_WORKSPACE"]);
  });

  it.each([
    ".",
    "./",
    "**",
    "*",
    "**/*",
    "*/**",
    "//",
    "//apps",
    "//apps/web/",
    "//**",
    "../*",
    "./**/.",
  ])("refuses %s, which takes in the project itself", (output) => {
    const run = (): unknown => oneTask({ outputs: [output] }, { projectDirectory: "apps/web" });
    expect(codesOf(run)).toEqual(["CONFIG_OUTPUTS"]);
  });

  it.each([
    "dist",
    "*.tsbuildinfo",
    "**/*.d.ts",
    "//dist",
    "//apps/api/dist",
    "../api/dist",
    "!**",
  ])("takes %s", (output) => {
    expect(oneTask({ outputs: [output] }, { projectDirectory: "apps/web" }).outputs).toHaveLength(
      1,
    );
  });
});

const overlap = (first: readonly string[], second: readonly string[]): readonly string[] =>
  codesOf(() =>
    projectOf({
      a: { command: "x", outputs: first },
      b: { command: "x", args: ["b"], outputs: second },
    }),
  );

describe("outputs of two tasks", () => {
  it.each([
    [["dist"], ["dist"]],
    [["dist/"], ["./dist"]],
    [["dist"], ["dist/app.js"]],
    [["dist/app.js"], ["dist"]],
    [["dist/**"], ["dist/a/b"]],
    [["dist/*"], ["dist/app.js"]],
    [["dist/*/x"], ["dist/a"]],
    [["**/*.d.ts"], ["dist"]],
    [["out/*.{js,map}"], ["out/a.map"]],
    [["a/[xy]"], ["a/x"]],
    [["*.log"], ["build.*"]],
    [["Dist"], ["dist"]],
    [["caf\u00E9"], ["cafe\u0301"]],
    [["dist/**", "!dist/other/**"], ["dist/types/**"]],
    [
      ["a", "b"],
      ["c", "b/x"],
    ],
  ])("are refused when one path can be in both: %j and %j", (first, second) => {
    expect(overlap(first, second)).toEqual(["CONFIG_OUTPUTS"]);
  });

  it.each([
    [["dist"], ["dist2"]],
    [["dist/a"], ["dist/b"]],
    [["dist/*.js"], ["dist/*.css"]],
    [["dist/app.*"], ["dist/lib.*"]],
    [["out/*.{js,map}"], ["out/a.ts"]],
    [["a/*/x"], ["b/*/x"]],
    [["dist/**", "!dist/types/**"], ["dist/types/**"]],
    [["dist", "!dist/types"], ["dist/types/a.d.ts"]],
    [["dist/images/*"], ["dist/fonts/*"]],
    [["a"], []],
  ])("are taken when none can: %j and %j", (first, second) => {
    expect(overlap(first, second)).toEqual([]);
  });

  it("names both tasks, both patterns and what to do, once for two tasks", () => {
    const problems = problemsOf(() =>
      projectOf({
        build: { command: "x", outputs: ["dist/**", "dist/a"] },
        bundle: { command: "y", outputs: ["dist/app.js", "dist/b"] },
      }),
    );
    expect(problems).toMatchObject([
      {
        code: "CONFIG_OUTPUTS",
        message: expect.stringMatching(
          /^cannot read the tasks build and bundle: their outputs "dist\/\*\*" and "dist\//,
        ),
      },
    ]);
  });

  it("are told once for each task, with the first that has them", () => {
    const tasks = Object.fromEntries(
      ["a", "b", "c", "d"].map((name) => [name, { command: "x", args: [name], outputs: ["dist"] }]),
    );
    const pairs = problemsOf(() => projectOf(tasks)).map(({ message }) => message.slice(22, 29));
    expect(pairs.toSorted()).toEqual(["a and b", "a and c", "a and d"]);
  });

  it("are told in time when thousands of tasks have the same ones", () => {
    const tasks: Record<string, unknown> = {};
    for (let index = 0; index < 10_000; index += 1)
      tasks[`t${index}`] = { command: "x", args: [`${index}`], outputs: ["dist", "//dist/a"] };
    expect(problemsOf(() => projectOf(tasks))).toHaveLength(100);
  });

  it("are compared for thousands of tasks, only where their folders meet", () => {
    const tasks: Record<string, unknown> = {};
    // Every pair would be 200 million comparisons of globs: minutes.
    for (let index = 0; index < 10_000; index += 1)
      tasks[`t${index}`] = { command: "x", outputs: [`pkg${index}/dist/**`, `pkg${index}/*.log`] };
    tasks["last"] = { command: "y", outputs: ["pkg7/dist/a"] };
    expect(problemsOf(() => projectOf(tasks)).map(({ message }) => message.slice(0, 35))).toEqual([
      "cannot read the tasks t7 and last: ",
    ]);
  });
});

/** The paths over a small alphabet that a pattern owns, by brute force. */
function owned(pattern: string): ReadonlySet<string> {
  const source = pattern
    .split("/")
    .map((segment) =>
      segment === "**"
        ? "(?:[ab]+/)*"
        : `${segment.replaceAll("*", "[ab]*").replaceAll("?", "[ab]")}/`,
    )
    .join("");
  const expression = new RegExp(`^${source}(?:[ab]+/)*$`);
  return new Set(paths.filter((path) => expression.test(`${path}/`)));
}

/** Deep enough for the shortest common path of two patterns of two segments each. */
const names = ["a", "b", "aa", "ab", "ba"];
const paths: string[] = [];
for (let level = names; level[0]?.split("/").length !== 5;) {
  paths.push(...level);
  level = level.flatMap((path) => names.map((name) => `${path}/${name}`));
}

const inPlace = (
  inputs: readonly string[],
  outputs: readonly string[],
  more: Record<string, unknown> = {},
): readonly string[] => codesOf(() => oneTask({ inputs, outputs, ...more }));

describe("inputs of a task in its own outputs", () => {
  it.each([
    [["src"], ["src"]],
    [["src/"], ["./src"]],
    [["src/a.js"], ["src"]],
    [["src/a.js"], ["src/*.js"]],
    [["src"], ["src/**"]],
    [["src"], ["src/*"]],
    [["src/**/*.js"], ["src/**"]],
    [["src/**/*.{js,ts}"], ["src/**/*.{js,ts}"]],
    [["src/a/*.js"], ["src/*"]],
    [
      ["package.json", "a.txt"],
      ["dist", "*.txt"],
    ],
    [["dist/types/x"], ["dist/**", "!dist/other/**"]],
  ])("are refused when nothing else can be in them: %j in %j", (inputs, outputs) => {
    expect(inPlace(inputs, outputs)).toEqual(["CONFIG_OUTPUTS"]);
    expect(inPlace([], outputs, { cacheConfig: { extraInputs: inputs } })).toHaveLength(1);
    expect(inPlace(inputs, outputs, { cache: false })).toEqual([]);
  });

  it.each([
    [["src"], ["src/generated"]],
    [["**/*.js"], ["dist/*.js"]],
    [["**"], ["dist"]],
    [["*.js"], ["*.css"]],
    [["src/**"], ["src/*.css"]],
    [["src/a.ts"], ["src/*.js"]],
    [["src"], ["src/*/*.js"]],
    [["src/a.js"], ["src/[bc].js"]],
    [["dist/types/x"], ["dist/**", "!dist/types/**"]],
    [["!src"], ["src"]],
    [["src"], []],
  ])("are taken when something else can be: %j beside %j", (inputs, outputs) => {
    expect(inPlace(inputs, outputs)).toEqual([]);
  });

  it("names both, and what to write", () => {
    const [problem] = problemsOf(() => oneTask({ inputs: ["src"], outputs: ["src"] }));
    expect(problem?.message).toMatch(
      /^cannot read task task: its input "src" is in its output "src"/,
    );
    expect(problem?.hint).toContain("`outputs: []`");
  });
});

describe("patternsOverlap", () => {
  it("agrees with trying every path", () => {
    const segment = fc.constantFrom("a", "ab", "*", "a*", "*b", "?", "?a", "**");
    const pattern = fc.array(segment, { minLength: 1, maxLength: 2 });
    fc.assert(
      fc.property(pattern, pattern, (left, right) => {
        const mine = owned(left.join("/"));
        const both = [...owned(right.join("/"))].some((path) => mine.has(path));
        expect(patternsOverlap(left, right)).toBe(both);
      }),
      { numRuns: 1000 },
    );
  });

  it("never says no to patterns that match one path, whatever their syntax", () => {
    const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 });
    const blurred = (segment: string): fc.Arbitrary<string> =>
      fc.constantFrom(
        segment,
        "*",
        `{x,${segment}}`,
        `[${segment[0]}]${segment.slice(1)}`,
        `@(${segment}|y)`,
        `\\${segment}`,
      );
    const pair = path.chain((segments) => {
      const one = fc.tuple(...segments.map(blurred));
      return fc.tuple(one, one);
    });
    fc.assert(
      fc.property(pair, ([left, right]) => {
        expect(patternsOverlap(left, right)).toBe(true);
      }),
    );
  });

  it("is quick on patterns made to explode", () => {
    const stars = `${"*a".repeat(200)}b`;
    expect(patternsOverlap([stars], ["a".repeat(2000)])).toBe(false);
    expect(expandBraces("{a,b}".repeat(40)).length).toBeLessThanOrEqual(64);
    expect(patternsOverlap(["x", "{a,b}".repeat(40)], ["x", "a".repeat(40)])).toBe(true);
  });
});
