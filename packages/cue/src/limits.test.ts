import { mkfifoSync } from "../test/make-fifo.ts";
import { symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { errorOf, projectsForTests } from "../test/projects.ts";
import { evaluate } from "./index.ts";

const projects = projectsForTests();

/** How often the main thread got its turn while an evaluation ran. */
let turns = 0;
let clock: NodeJS.Timeout | undefined;
beforeEach(() => {
  turns = 0;
  clock = setInterval(() => (turns += 1), 20);
});
afterEach(() => clearInterval(clock));

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join("\n");

const doubling = `a0: {v: 1}\n${lines(28, (i) => `a${i + 1}: {x: a${i}, y: a${i}}`)}`;
const sides = (i: number): string =>
  [1, 2, 3].map((n) => `{x${i}: ${n}, n${i}${n}: 1}`).join(" | ");
const disjunctions = `${lines(14, (i) => `d${i}: ${sides(i)}`)}\nall: ${lines(14, (i) => `d${i}`).replaceAll("\n", " & ")}`;
const quadratic = `import "list"\nq: [for a in list.Range(0, 20000, 1) for b in list.Range(0, 20000, 1) {a * b}]`;
const megabytes = `import ("list", "strings")
x: strings.Repeat("x", 1000000)
l: [for i in list.Range(0, 500, 1) {strings.Join([x, "\\(i)"], "")}]`;

// Each is written to take for ever, or all memory; the time limit is short so that the suite is not.
const bombs: readonly (readonly [string, string, readonly string[]])[] = [
  ["exponential sharing", doubling, ["CUE_LIMIT_TIME", "CUE_LIMIT_MEMORY", "CUE_LIMIT_OUTPUT"]],
  ["a product of disjunctions", disjunctions, ["CUE_LIMIT_TIME", "CUE_EVALUATION"]],
  ["a quadratic comprehension", quadratic, ["CUE_LIMIT_TIME", "CUE_LIMIT_MEMORY"]],
  ["a huge list.Repeat", 'import "list"\nl: list.Repeat([1], 1000000000)', ["CUE_EVALUATION"]],
  [
    "a huge strings.Repeat",
    'import "strings"\ns: strings.Repeat("x", 1000000000)',
    ["CUE_EVALUATION"],
  ],
  [
    "an endless reference",
    '#A: {n: int, next: #A & {"n": n + 1}}\na: #A & {n: 1}',
    ["CUE_EVALUATION"],
  ],
  ["a structural cycle", "a: {b: a}", ["CUE_EVALUATION"]],
  ["deeply nested structs", `a: ${"{a: ".repeat(1000)}1${"}".repeat(1000)}`, ["CUE_LIMIT_DEPTH"]],
  ["deeply nested lists", `a: ${"[".repeat(1000)}${"]".repeat(1000)}`, ["CUE_LIMIT_DEPTH"]],
  ["nesting beyond the parser's", `a: ${"[".repeat(20000)}${"]".repeat(20000)}`, ["CUE_SYNTAX"]],
  ["a huge exponent", 'import "math"\na: math.Pow(10, 1000000000)', ["CUE_EVALUATION"]],
  [
    "a backtracking regular expression",
    `a: =~"(a+)+$"\na: "${"a".repeat(5000)}b"`,
    ["CUE_EVALUATION"],
  ],
  ["half a gigabyte of strings", megabytes, ["CUE_LIMIT_MEMORY", "CUE_LIMIT_TIME"]],
];

describe("T16: evaluate, given a bomb,", () => {
  it.each(bombs)("ends %s in a clear error, responsive all the time", async (_, text, codes) => {
    const directory = projects.make({ "env.cue": `package cuenv\n${text}\n` });
    const mayTakeLong = codes.includes("CUE_LIMIT_TIME");
    const limits = { timeoutMs: mayTakeLong ? 1000 : 10_000, memoryBytes: 128 * 1024 * 1024 };
    const started = performance.now();
    const error = await errorOf(evaluate({ directory, limits }));
    const tookMs = performance.now() - started;
    expect(codes).toContain(error.code);
    expect(error.exitCode).toBe(3);
    expect(error.location?.file).toMatch(/^.*cuenv-cue-/);
    // Every twentieth turn at least, and a short evaluation has none to give.
    expect(turns).toBeGreaterThanOrEqual(Math.floor(tookMs / 20 / 20));
  });

  it("ends a result that is too large, before it is copied out", async () => {
    const directory = projects.make({
      "env.cue": 'package cuenv\nimport "strings"\ns: strings.Repeat("x", 100000)\n',
    });
    const limits = { outputBytes: 50_000 };
    expect(await errorOf(evaluate({ directory, limits }))).toMatchObject({
      code: "CUE_LIMIT_OUTPUT",
      message: `cannot evaluate ${directory}: its result has more than 50000 bytes`,
    });
    await expect(evaluate({ directory })).resolves.toBeDefined();
  });

  it("evaluates again after each of the ends", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    const bomb = projects.make({ "env.cue": `package cuenv\n${megabytes}\n` });
    const limits = { memoryBytes: 64 * 1024 * 1024 };
    expect((await errorOf(evaluate({ directory: bomb, limits }))).code).toBe("CUE_LIMIT_MEMORY");
    const { evaluation } = await evaluate({ directory, limits });
    expect(evaluation.value).toEqual({ a: 1 });
  });

  it("takes any number of bytes for the memory", async () => {
    const directory = projects.make({ "env.cue": "package cuenv\na: 1\n" });
    for (const memoryBytes of [100.3 * 2 ** 20, 2 ** 33]) {
      const { evaluation } = await evaluate({ directory, limits: { memoryBytes } });
      expect(evaluation.value).toEqual({ a: 1 });
    }
  });
});

describe("evaluate reads no more than it should:", () => {
  const embedding = `@extern(embed)

package cuenv

data: _ @embed(file=data.txt,type=text)
`;

  it("a huge embedded file is refused without being read", async () => {
    const directory = projects.make({ "env.cue": embedding, "data.txt": "" });
    truncateSync(join(directory, "data.txt"), 2 ** 40);
    expect(await errorOf(evaluate({ directory }))).toMatchObject({
      code: "CUE_LIMIT_READ",
      location: { file: join(directory, "data.txt") },
    });
  });

  it("many files that are too much together are refused", async () => {
    const files = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`data/${i}.txt`, "x".repeat(1000)]),
    );
    const directory = projects.make({
      "env.cue": embedding.replace("file=data.txt", "glob=data/*.txt"),
      ...files,
    });
    for (const limits of [{ totalBytes: 5000 }, { files: 10 }]) {
      expect((await errorOf(evaluate({ directory, limits }))).code).toBe("CUE_LIMIT_READ");
    }
    await expect(evaluate({ directory })).resolves.toBeDefined();
  });

  it("links that leave the module are refused", async () => {
    const outside = projects.make({
      "secret.txt": "s",
      "env.cue": "package cuenv\nsecret: true\n",
    });
    for (const [name, target] of [
      ["data.txt", join(outside, "secret.txt")],
      ["data.txt", "/etc/passwd"],
      ["more.cue", join(outside, "env.cue")],
    ] as const) {
      const directory = projects.make({ "env.cue": embedding });
      if (name !== "data.txt") writeFileSync(join(directory, "data.txt"), "");
      symlinkSync(target, join(directory, name));
      const error = await errorOf(evaluate({ directory }));
      expect(error).toMatchObject({ code: "CUE_READ", location: { file: join(directory, name) } });
      expect(error.message).toContain("a link leads outside");
    }
  });

  it("links inside the module are followed", async () => {
    const directory = projects.make({ "env.cue": embedding, "real.txt": "hello" });
    symlinkSync("real.txt", join(directory, "data.txt"));
    const { evaluation } = await evaluate({ directory });
    expect(evaluation.value).toEqual({ data: "hello" });
  });

  it("a FIFO is refused instead of waited for", async () => {
    const directory = projects.make({ "env.cue": embedding });
    mkfifoSync(join(directory, "data.txt"));
    expect(await errorOf(evaluate({ directory }))).toMatchObject({ code: "CUE_READ" });
  });
});
