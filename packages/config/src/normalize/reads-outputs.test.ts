import { describe, expect, it } from "vitest";
import { oneTask } from "../../test/projects.ts";
import { readsOutputs } from "./reads-outputs.ts";

describe("whether a task reads what another one makes", () => {
  const maker = oneTask({ outputs: ["out/**", "!out/notes"] });
  const reads = (fields: Record<string, unknown>, files: readonly string[] = []): boolean =>
    readsOutputs(oneTask(fields), maker, { projectDirectory: "", files });

  it.each([["out"], ["out/a.txt"], ["out/*.txt"], ["//out/deep/**"], ["{gen,out}/x"]])(
    "%s names a place in the outputs, whether something is there or not",
    (input) => {
      expect(reads({ inputs: [input] })).toBe(true);
      expect(reads({ inputs: [], cacheConfig: { extraInputs: [input] } })).toBe(true);
    },
  );

  it.each([["src"], ["**/*.txt"], ["output/*"], ["!out"]])("%s names none", (input) => {
    expect(reads({ inputs: [input] })).toBe(false);
  });

  it("goes by the files that were found where a pattern only passes by", () => {
    expect(reads({ inputs: ["**"] }, ["src/a", "out/a"])).toBe(true);
    expect(reads({ inputs: ["**"] }, ["src/a", "output"])).toBe(false);
    expect(reads({ outputs: [] }, ["out/a"])).toBe(true);
  });

  it("is never so with a cacheKey, or where nothing is made", () => {
    expect(reads({ inputs: ["out"], cacheKey: "k" }, ["out/a"])).toBe(false);
    const files = ["out/a"];
    const idle = oneTask({ outputs: [] });
    expect(readsOutputs(oneTask({ inputs: ["out"] }), idle, { projectDirectory: "", files })).toBe(
      false,
    );
  });
});
