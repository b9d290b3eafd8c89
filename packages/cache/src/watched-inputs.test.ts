import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { root, task, useEngineFolder } from "../test/engine-rig.ts";
import { createInputLook } from "./watched-inputs.ts";

useEngineFolder();

describe("what is watched", () => {
  it("shows that a file of one task has become one of another, too", () => {
    mkdirSync(join(root, "src/deep"));
    writeFileSync(join(root, "src/deep/b"), "two");
    writeFileSync(join(root, ".gitignore"), "/src/deep/\n");
    const look = createInputLook({
      workspaceRoot: root,
      projectPath: "",
      tasks: [task({ inputs: ["src/deep"] }), task({ name: "other", inputs: ["src/**"] })],
      excludedPaths: [],
    });
    const before = look().files;
    expect([...before.keys()].toSorted()).toEqual(["src/a", "src/deep/b"]);
    expect(look().files).toEqual(before);
    writeFileSync(join(root, ".gitignore"), "");
    const after = look().files;
    expect(after.get("src/deep/b")?.identity).not.toBe(before.get("src/deep/b")?.identity);
    expect(after.get("src/a")).toEqual(before.get("src/a"));
  });
});
