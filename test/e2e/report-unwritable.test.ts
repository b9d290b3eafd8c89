import { describe, expect, it } from "vitest";
import { createSandbox, cue, launcher, plainEnvironment, runProgram } from "./sandbox.ts";

describe("a report", () => {
  it("that stdout cannot take is an error of its own, not a bug", async () => {
    const sandbox = createSandbox({ "env.cue": cue({ tasks: {} }) });
    const line = `"${process.execPath}" "${launcher}" cache stats > /dev/full`;
    const env = { ...plainEnvironment(sandbox.home), CUENV_CACHE_DIR: sandbox.cacheDir };
    const run = await runProgram("sh", ["-c", line], { cwd: sandbox.root, env });
    expect(run.code).toBe(70);
    expect(run.stderr).toMatch(/^error: cannot write to stdout: ENOSPC.*\[OUTPUT_UNWRITABLE\]$/m);
    expect(run.stderr).not.toContain("bug");
  });

  it("of what cannot be read names the file all the same", async () => {
    const sandbox = createSandbox({ "env.cue": 'package cuenv\n\ntasks: t: {comand: "x"}\n' });
    const { code, stdout } = await sandbox.cuenv(["cache", "validate"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^Checked env\.cue: 1 error, 0 warnings$/m);
  });
});
