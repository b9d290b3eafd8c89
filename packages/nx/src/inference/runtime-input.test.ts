import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runtimeInput } from "./runtime-input.ts";

const root = mkdtempSync(join(tmpdir(), "runtime-input-"));
afterAll(() => rmSync(root, { recursive: true }));

function install(folder: string, name: string, text: string): void {
  const bin = join(root, folder, "node_modules/.bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\necho ${text}\n`);
  chmodSync(join(bin, name), 0o755);
}

/** As Nx runs it: by a shell at its root, with the PATH that Nx has. */
function printed(command: string): string {
  const { runtime } = runtimeInput(root, "packages/app", command);
  return execFileSync("sh", ["-c", runtime], { cwd: root, encoding: "utf8" }).trim();
}

describe("runtimeInput", () => {
  it("leaves a command alone that means the same everywhere, so that Nx runs it once for all projects", () => {
    expect(runtimeInput(root, "packages/app", "node --version")).toEqual({
      runtime: "node --version",
    });
  });

  it("runs tools of the project as the project has them, and other commands in its folder", () => {
    install(".", "shared", "of the root");
    install(".", "both", "of the root");
    install("packages/app", "both", "of the project");
    writeFileSync(join(root, "packages/app/version"), "7");
    expect(runtimeInput(root, "packages/app", "shared -v").runtime).toBe(
      "node_modules/.bin/shared -v",
    );
    expect(printed("shared -v")).toBe("of the root");
    expect(printed("both -v")).toBe("of the project");
    expect(printed("cat version && both")).toBe("7of the project");
    expect(printed("cat version")).toBe("7");
    expect(runtimeInput(root, ".", "cat x | sort").runtime).toContain(
      'PATH="$PWD/node_modules/.bin"',
    );
  });
});
