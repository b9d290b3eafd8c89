import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collecting, temporaryFolder } from "../test/project.ts";
import { runProcess, taskPath } from "./index.ts";

describe("taskPath", () => {
  it("lists node_modules/.bin from the project up to the workspace root, before PATH", () => {
    expect(taskPath({ projectDirectory: "/w/a/b", workspaceRoot: "/w", path: "/bin" })).toBe(
      "/w/a/b/node_modules/.bin:/w/a/node_modules/.bin:/w/node_modules/.bin:/bin",
    );
    expect(taskPath({ projectDirectory: "/w", workspaceRoot: "/w", path: undefined })).toBe(
      "/w/node_modules/.bin",
    );
  });

  it("never adds an empty entry, which would mean the working folder", () => {
    expect(taskPath({ projectDirectory: "/w", workspaceRoot: "/w", path: "" })).not.toMatch(
      /:$|::/,
    );
  });

  it("ends at the root of the file system, whatever the workspace is", () => {
    expect(taskPath({ projectDirectory: "/a", workspaceRoot: "/elsewhere", path: undefined })).toBe(
      "/a/node_modules/.bin:/node_modules/.bin",
    );
  });

  it("finds the tool that is nearest to the project, with and without a shell", async () => {
    const root = temporaryFolder();
    for (const folder of [root, join(root, "app")]) {
      const bin = join(folder, "node_modules/.bin");
      mkdirSync(bin, { recursive: true });
      writeFileSync(
        join(bin, "our-tool"),
        `#!/bin/sh\necho ${folder === root ? "outer" : "inner"}\n`,
      );
      chmodSync(join(bin, "our-tool"), 0o755);
    }
    const env = {
      PATH: taskPath({
        projectDirectory: join(root, "app"),
        workspaceRoot: root,
        path: process.env["PATH"],
      }),
    };
    const direct = collecting(["our-tool"], { env });
    await runProcess(direct.request);
    expect(direct.stdout().toString()).toBe("inner\n");
    expect(spawnSync("sh", ["-c", "our-tool"], { env, encoding: "utf8" }).stdout).toBe("inner\n");
  });
});
