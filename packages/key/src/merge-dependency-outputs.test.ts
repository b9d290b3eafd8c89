import { hashText } from "@cuenv/digest";
import { describe, expect, it } from "vitest";
import type { InputNode } from "./key-inputs.ts";
import { mergeDependencyOutputs } from "./merge-dependency-outputs.ts";

function file(path: string, content = path): InputNode {
  return { kind: "file", path, digest: hashText("sha256", content), executable: false };
}

function paths(nodes: readonly InputNode[]): string[] {
  return nodes.map((node) => node.path);
}

describe("mergeDependencyOutputs", () => {
  const dependency = (task: string, nodes: readonly InputNode[], patterns = ["dist"]) => ({
    task,
    projectDirectory: "lib",
    patterns,
    nodes,
  });

  it("takes a dependency's outputs from its result, whatever lies on the disk", () => {
    const { inputs, producers } = mergeDependencyOutputs({
      inputs: [file("app/a"), file("lib/dist/stale"), file("lib/dist/o", "old")],
      dependencies: [
        dependency("lib:build", [
          file("lib/dist/o", "new"),
          { kind: "directory", path: "lib/dist/empty" },
        ]),
      ],
      projectDirectory: "app",
    });
    expect(inputs).toEqual([
      file("app/a"),
      { kind: "directory", path: "lib/dist/empty" },
      file("lib/dist/o", "new"),
    ]);
    expect(producers).toEqual({ "lib/dist/empty": "lib:build", "lib/dist/o": "lib:build" });
  });

  it("keeps a file beside the outputs, and one that an output pattern leaves out", () => {
    const { inputs } = mergeDependencyOutputs({
      inputs: [file("lib/src"), file("lib/dist/keep/x"), file("lib/dist/y")],
      dependencies: [dependency("d", [], ["dist/**", "!dist/keep"])],
      projectDirectory: "app",
    });
    expect(paths(inputs)).toEqual(["lib/dist/keep/x", "lib/src"]);
  });

  it("row 20: leaves out what the task ignores, whoever made it", () => {
    const { inputs, producers } = mergeDependencyOutputs({
      inputs: [],
      dependencies: [dependency("d", [file("lib/dist/a.js"), file("lib/dist/a.map")])],
      projectDirectory: "app",
      ignorePatterns: ["//lib/**/*.map"],
    });
    expect(paths(inputs)).toEqual(["lib/dist/a.js"]);
    expect(Object.keys(producers)).toEqual(["lib/dist/a.js"]);
  });

  it("lets the result's word hold where disk and result exclude each other", () => {
    const onDisk = [file("lib/out"), file("lib/gen/x/y")];
    const { inputs } = mergeDependencyOutputs({
      inputs: onDisk,
      dependencies: [dependency("d", [file("lib/out/f"), file("lib/gen/x")], ["out/*", "g*/?"])],
      projectDirectory: "app",
    });
    expect(paths(inputs)).toEqual(["lib/gen/x", "lib/out/f"]);
  });

  it("does not depend on the order of dependencies", () => {
    const both = [
      dependency("a", [file("lib/dist/o", "a")]),
      dependency("b", [file("lib/dist/o", "b"), file("lib/dist/p")]),
    ];
    const merge = (dependencies: typeof both) =>
      JSON.stringify(mergeDependencyOutputs({ inputs: [], dependencies, projectDirectory: "app" }));
    expect(merge(both.toReversed())).toBe(merge(both));
  });
});
