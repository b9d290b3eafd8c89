import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  createSandbox,
  cue,
  launcher,
  plainEnvironment,
  runProgram,
  type Sandbox,
} from "./sandbox.ts";

describe("a report", () => {
  const unwritableIn = (sandbox: Sandbox, command: string, into = "> /dev/full") => {
    const line = `"${process.execPath}" "${launcher}" ${command} ${into}`;
    const env = { ...plainEnvironment(sandbox.home), CUENV_CACHE_DIR: sandbox.cacheDir };
    return runProgram("sh", ["-c", line], { cwd: sandbox.root, env });
  };
  const unwritable = (command: string) =>
    unwritableIn(createSandbox({ "env.cue": cue({ tasks: {} }) }), command);

  it.each(["cache stats", "cache stats --json"])(
    "that stdout cannot take is an error of its own, not a bug: %s",
    async (command) => {
      const run = await unwritable(command);
      expect(run.code).toBe(70);
      expect(run.stderr).toMatch(/^error: cannot write to stdout: ENOSPC.*\[OUTPUT_UNWRITABLE\]$/m);
      expect(run.stderr).not.toMatch(/bug|\n {4}at /);
    },
  );

  it("row 46: what tasks printed and stdout cannot take is an error, on a miss and on a hit, unless a task failed", async () => {
    const tasks = {
      fine: { command: "echo out; echo err >&2", inputs: [] },
      failing: { command: "echo out; exit 7", inputs: [] },
    };
    const sandbox = createSandbox({ "env.cue": cue({ tasks }) });
    for (const status of ["miss", "hit"]) {
      const run = await unwritableIn(sandbox, "task fine");
      expect(run.stderr).toMatch(new RegExp(`^cuenv fine: ${status}`, "m"));
      expect(run.stderr).toMatch(/^err$/m);
      expect(run.stderr).toMatch(/^error: cannot write to stdout: ENOSPC.*\[OUTPUT_UNWRITABLE\]$/m);
      expect(run.code).toBe(70);
    }
    expect((await unwritableIn(sandbox, "task failing")).code).toBe(7);
    const unread = await unwritableIn(sandbox, "task fine", "| true");
    expect(unread.stderr).toMatch(/fine: hit/);
    expect(unread.stderr).not.toContain("cannot write");
  });

  it("of a folder that is gone is an error, not a bug", async () => {
    const sandbox = createSandbox({ "gone/x": "" });
    const line = `rm -r "$PWD"; "${process.execPath}" "${launcher}" task x`;
    const env = plainEnvironment(sandbox.home);
    const run = await runProgram("sh", ["-c", line], { cwd: join(sandbox.root, "gone"), env });
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(
      /^error: cannot use the current folder: it was removed.*\[USAGE\]$/m,
    );
    expect(run.stderr).not.toMatch(/bug|\n {4}at /);
  });

  it("of an error that stdout cannot take is on stderr", async () => {
    const run = await unwritable("cache stats --json --nonsense");
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/^error: .*unknown flag --nonsense \[USAGE\]$/m);
  });

  it("of what cannot be read names the file all the same", async () => {
    const sandbox = createSandbox({ "env.cue": 'package cuenv\n\ntasks: t: {comand: "x"}\n' });
    const { code, stdout } = await sandbox.cuenv(["cache", "validate"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^Checked env\.cue: 1 error, 0 warnings$/m);
  });

  it("that stderr cannot take changes neither what runs nor how it ends", async () => {
    const sandbox = createSandbox({
      "env.cue": cue({
        tasks: {
          make: {
            command: "echo err >&2; echo made > made.txt",
            inputs: [],
            outputs: ["made.txt"],
          },
          use: { command: "cat made.txt; exit 7", dependencies: ["make"] },
        },
      }),
    });
    for (const round of ["miss", "hit"]) {
      const run = await unwritableIn(sandbox, "task use --output raw", "2> /dev/full");
      expect({ round, code: run.code, stdout: run.stdout }).toEqual({
        round,
        code: 7,
        stdout: "made\n",
      });
    }
    const json = await unwritableIn(sandbox, "task use --json", "2> /dev/full");
    expect(json.code).toBe(7);
    expect(JSON.parse(json.stdout)).toMatchObject({ summary: { exitCode: 7 } });
    for (const command of ["task nothing", "nothing"])
      expect((await unwritableIn(sandbox, command, "2> /dev/full")).code).toBe(2);
  });
});
