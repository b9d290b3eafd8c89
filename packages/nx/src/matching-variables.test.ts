import { describe, expect, it } from "vitest";
import { matchingVariables } from "./matching-variables.ts";
import { matchesAny } from "./name-matches.ts";
import { readPluginOptions } from "./plugin-options.ts";

describe("matchingVariables", () => {
  it("prints what globs match and no exclusion does, sorted, in any order of the environment", () => {
    const env = { VITE_B: "2", VITE_A: "1\n", VITE_DEV: "x", OTHER: "y", UNSET: undefined };
    const text = '["VITE_A","1\\n"]\n["VITE_B","2"]\n';
    expect(matchingVariables(env, ["VITE_?", "!*_DEV"])).toBe(text);
    expect(matchingVariables({ OTHER: "z", VITE_A: "1\n", VITE_B: "2" }, ["VITE_*"])).toBe(text);
    expect(matchingVariables(env, ["[V]*", "vite_*"])).toBe("");
    const long = "a".repeat(5000);
    expect(matchingVariables({ [long]: "1" }, [`${"*a".repeat(500)}*b`])).toBe("");
  });
});

describe("matchesAny", () => {
  it("takes * for any characters and everything else as it is", () => {
    expect(matchesAny(["test:*"], "test:unit")).toBe(true);
    expect(matchesAny(["a*b*c"], "abc")).toBe(true);
    expect(matchesAny(["ab*ba", "x.y"], "aba")).toBe(false);
    expect(matchesAny(["x.y"], "xzy")).toBe(false);
  });
});

describe("the options of the plugin", () => {
  it("are read, and say which of them is wrong", () => {
    expect(readPluginOptions(undefined)).toEqual({});
    expect(readPluginOptions({ mode: "cuenv", continuous: ["dev"] })).toEqual({
      mode: "cuenv",
      continuous: ["dev"],
    });
    expect(() => readPluginOptions({ mdoe: "cuenv" })).toThrow(/no option "mdoe"; there are mode,/);
    for (const wrong of [{ mode: "nx" }, { modes: { a: 1 } }, { exclude: "a" }, { remoteCache: 1 }])
      expect(() => readPluginOptions(wrong), JSON.stringify(wrong)).toThrow("must be");
  });
});
