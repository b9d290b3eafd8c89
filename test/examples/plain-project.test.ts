import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";

describe("npm run demo", () => {
  it("builds a real library cold, warm, restored and edited, and each run does what it should", async () => {
    const out = mkdtempSync(join(tmpdir(), "cuenv-demo-"));
    onTestFinished(() => rmSync(out, { recursive: true, force: true }));
    const script = fileURLToPath(new URL("../../tools/demo.mjs", import.meta.url));
    const env = { ...process.env, NODE_OPTIONS: "", NO_COLOR: "1" };
    // It fails by itself when a run did not run or take from the cache what it says.
    const { stdout } = await promisify(execFile)(process.execPath, [script, "--out", out], { env });
    expect(stdout).toContain("restored 250 files");
    expect(stdout).toMatch(/nothing changed +0 +7/);
    expect(stdout).toMatch(/a comment added +4 +3/);
    expect(existsSync(join(out, "plain-project", "bundle", "zod.js"))).toBe(true);
    // 80 columns, except where a line names a temporary folder.
    expect(stdout.split("\n").filter((line) => line.length > 80 && !line.includes(out))).toEqual(
      [],
    );
  }, 300_000);
});
