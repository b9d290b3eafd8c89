import { describe, expect, it } from "vitest";
import { comparedOutputs } from "./compared-outputs.ts";

const digest = (letter: string, sizeBytes = 1) => ({ hash: letter.repeat(64), sizeBytes });
const file = (path: string, letter = "a", executable = false, sizeBytes = 1) =>
  ({ kind: "file", path, digest: digest(letter, sizeBytes), executable }) as const;
const link = (path: string, target: string) => ({ kind: "symlink", path, target }) as const;
const folder = (path: string) => ({ kind: "directory", path }) as const;

describe("comparedOutputs", () => {
  it("finds nothing between equal lists, in any order", () => {
    const outputs = [folder("d"), file("d/a"), link("d/l", "a")];
    expect(comparedOutputs(outputs, outputs.toReversed())).toEqual([]);
    expect(comparedOutputs([], [])).toEqual([]);
  });

  it("names what has other bytes, another mode, target or kind, and what only one of them has", () => {
    const left = [
      file("a"),
      file("b"),
      file("c"),
      link("d", "x"),
      folder("e"),
      file("gone"),
      file("same"),
    ];
    const right = [
      file("a", "b"),
      file("b", "a", true),
      file("c", "a", false, 2),
      link("d", "y"),
      file("e"),
      file("new"),
      file("same"),
    ];
    expect(comparedOutputs(left, right)).toEqual(["a", "b", "c", "d", "e", "gone", "new"]);
  });
});
