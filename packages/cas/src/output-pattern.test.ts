import { describe, expect, it } from "vitest";
import { compileOutputs, isOutput } from "./output-pattern.ts";

async function matching(output: string, paths: readonly string[]): Promise<readonly string[]> {
  const patterns = await compileOutputs("", [output]);
  return paths.filter((path) => isOutput(patterns, path));
}

describe("a glob of outputs means what one of inputs does", () => {
  it.each([
    ["out/[!_]*.js", ["out/a.js", "out/_a.js", "out/!a.js"], ["out/a.js", "out/!a.js"]],
    ["out/[^_]*.js", ["out/a.js", "out/_a.js"], ["out/a.js"]],
    ["out/[![:digit:]]x", ["out/1x", "out/ax"], ["out/ax"]],
    ["out/[]x]*", ["out/]", "out/x", "out/a"], ["out/]", "out/x"]],
    ["out/[!]x]*", ["out/]", "out/x", "out/a"], ["out/a"]],
    ["out/[ab]?", ["out/a", "out/ab", "out/bc"], ["out/ab", "out/bc"]],
  ])("with the class in %j", async (output, paths, expected) => {
    expect(await matching(output, paths)).toEqual(expected);
  });

  it.each(["[slug]", "[...slug]", "[[...slug]]", "(auth)"])(
    "with %s, a folder's name that matches itself",
    async (name) => {
      const path = `out/${name}/page.js`;
      expect(await matching(`out/${name}/*.js`, [path])).toEqual([path]);
    },
  );

  it("with dots in braces, which are no range", async () => {
    expect(await matching("out/x{1..3}*", ["out/x2", "out/x{1..3}"])).toEqual(["out/x{1..3}"]);
    expect(await matching("out/{a,b..d}*", ["out/c", "out/b..d"])).toEqual(["out/b..d"]);
  });

  it("with quotes, which are letters", async () => {
    expect(await matching('out/"*', ['out/"a', "out/a"])).toEqual(['out/"a']);
  });

  it("in names with a line feed", async () => {
    const paths = ["out/a\nb/c.txt", "out/e\nf.txt", "out/\n"];
    expect(await matching("out/**/*.txt", paths)).toEqual(paths.slice(0, 2));
    expect(await matching("out/*", paths)).toEqual(paths);
  });
});
