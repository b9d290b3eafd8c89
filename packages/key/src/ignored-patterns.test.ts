import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createFileIndex } from "@cuenv/digest";
import { afterAll, describe, expect, it } from "vitest";
import { ignoredPatterns } from "./ignored-patterns.ts";

const root = mkdtempSync(join(tmpdir(), "ignored-patterns-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("ignoredPatterns", () => {
  it("finds those that name something that git ignores, by their first part or whole", () => {
    mkdirSync(join(root, "app/out"), { recursive: true });
    writeFileSync(join(root, ".gitignore"), "generated/\n*.log\n/app/out\n");
    const looked: string[] = [];
    const patterns = [
      "generated",
      "generated/api.ts",
      "src/generated/**",
      "**/generated",
      "src",
      "!generated",
      "x.log",
      "out",
      "//app/out/*",
      "//generated/x",
      "node_modules/typescript/package.json",
    ];
    const found = ignoredPatterns({
      index: createFileIndex({ root, digestFunction: "sha256", stateFile: undefined }),
      projectDirectory: "app",
      patterns,
      onIgnoreFile: (path) => looked.push(path),
    });
    expect(found).toEqual([
      "generated/api.ts",
      "src/generated/**",
      "x.log",
      "out",
      "//app/out/*",
      "//generated/x",
      "node_modules/typescript/package.json",
    ]);
    expect(looked).toContain(".gitignore");
  });
});
