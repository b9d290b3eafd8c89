import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { createSandbox, cue, launcher, plainEnvironment, runProgram } from "./sandbox.ts";

// NUL, invalid UTF-8, an unfinished escape sequence, carriage returns, no newline at the end.
const octal = "a\\000b\\377\\376\\r\\033[3\\nlast";
const bytes = Buffer.concat([
  Buffer.from("a\0b"),
  Buffer.of(0xff, 0xfe, 0x0d, 0x1b),
  Buffer.from("[3\nlast"),
]);
const big = "head -c 3000000 /dev/zero | tr '\\000' x";

const project = createSandbox({
  "env.cue": cue({
    tasks: {
      awkward: { command: `printf '${octal}'; printf 'E${octal}' >&2`, inputs: [] },
      silent: { command: "true", inputs: [] },
      big: { command: `${big}; ${big} >&2; echo >&2`, inputs: [] },
      one: { command: "echo one; echo one-err >&2; printf unfinished", inputs: [] },
      second: { command: "echo second", inputs: [], dependencies: ["one"] },
    },
  }),
});
beforeAll(() => project.cuenv(["task"]));

/** What is on stderr besides our own lines. */
function taskStderr(stderr: Buffer): Buffer {
  const text = stderr.toString("latin1");
  return Buffer.from(text.replaceAll(/^cuenv [^\n]*\n/gm, ""), "latin1");
}

describe.concurrent("replaying output", () => {
  it("row 46: a hit gives stdout byte for byte, NUL and invalid UTF-8 too", async () => {
    const first = await project.cuenv(["task", "awkward"]);
    const second = await project.cuenv(["task", "awkward"]);
    expect(first.bytes.stdout.equals(bytes)).toBe(true);
    expect(second.bytes.stdout.equals(bytes)).toBe(true);
    expect(second.stderr).toMatch(/awkward: hit/);
  });

  it("row 46: stderr is replayed on stderr, and nothing of it on stdout", async () => {
    await project.cuenv(["task", "awkward"]);
    const { bytes: replayed } = await project.cuenv(["task", "awkward"]);
    const expected = Buffer.concat([Buffer.from("E"), bytes]);
    expect(replayed.stderr.includes(expected)).toBe(true);
    expect(replayed.stdout.includes(expected)).toBe(false);
  });

  it("row 46: megabytes on both streams are replayed whole", async () => {
    for (let time = 0; time < 2; time += 1) {
      const run = await project.cuenv(["task", "big"]);
      expect(run.code).toBe(0);
      expect(run.bytes.stdout.length).toBe(3_000_000);
      expect(taskStderr(run.bytes.stderr).length).toBe(3_000_001);
    }
  });

  it("row 46: a task that says nothing replays nothing", async () => {
    await project.cuenv(["task", "silent"]);
    const run = await project.cuenv(["task", "silent"]);
    expect(run.stdout).toBe("");
    expect(taskStderr(run.bytes.stderr).length).toBe(0);
  });
});

describe.concurrent("--replay", () => {
  const quiet = createSandbox({
    "env.cue": `package cuenv
tasks: {
	gen: {command: "echo gen; echo gen-err >&2", inputs: []}
	check: {command: "echo", args: ["check", gen.stdout], inputs: ["in"], dependencies: ["gen"]}
	all: {command: "echo all", inputs: [], dependencies: ["check"]}
}
`,
    in: "1",
  });
  const lines = async (...args: string[]): Promise<readonly string[]> => {
    const run = await quiet.cuenv(["task", ...args]);
    expect(run.code, run.stderr).toBe(0);
    return [...run.stdout.split("\n"), ...run.stderr.split("\n")].filter((line) =>
      line.includes("│"),
    );
  };

  it("of none or only the named tasks shows what tasks print that run, and hands on what hits printed", async () => {
    expect(await lines("all", "--replay=none")).toHaveLength(4);
    expect(await lines("all")).toHaveLength(4);
    expect(await lines("all", "--replay=none")).toEqual([]);
    expect(await lines("all", "--replay=toplevel")).toEqual(["all   │ all"]);
    quiet.write("in", "2");
    expect(await lines("all", "--replay=none")).toEqual(["check │ check gen", "all   │ all"]);
  });

  it("is told what there is", async () => {
    const wrong = await quiet.cuenv(["task", "all", "--replay=new"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toContain("all, toplevel, none");
  });
});

describe.concurrent("output of several tasks", () => {
  it("row 46: lines carry the task's name, live and replayed, each on its stream", async () => {
    for (let time = 0; time < 2; time += 1) {
      const run = await project.cuenv(["task", "second"]);
      expect(run.stdout).toBe("one    │ one\none    │ unfinished\nsecond │ second\n");
      expect(run.stderr).toMatch(/^one {4}│ one-err$/m);
    }
  });

  it("row 46: in CI each task's output stands together under its name", async () => {
    for (let time = 0; time < 2; time += 1) {
      const run = await project.cuenv(["task", "second"], { env: { CI: "true" } });
      expect(run.stdout).toBe("one\nunfinished\nsecond\n");
      expect(run.stderr).toMatch(/── one ─+\n/);
      expect(run.stderr).toMatch(/── second ─+\n/);
    }
    const named = await project.cuenv(["task", "second", "--output", "grouped"]);
    expect(named.stdout).toBe("one\nunfinished\nsecond\n");
  });

  it("row 46: GitHub Actions gets its own marks for groups", async () => {
    const env = { CI: "true", GITHUB_ACTIONS: "true" };
    const run = await project.cuenv(["task", "second"], { env });
    expect(run.stdout).toMatch(
      /^::group::one\none\n[^]*\n::endgroup::\n::group::second\nsecond\n::endgroup::\n$/,
    );
    expect(run.stdout).toContain("one-err\n");
  });

  it("row 46: --output raw is byte for byte, with several tasks too; another word is refused", async () => {
    const run = await project.cuenv(["task", "second", "--output", "raw"]);
    expect(run.stdout).toBe("one\nunfinishedsecond\n");
    const wrong = await project.cuenv(["task", "second", "--output", "fancy"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/raw, prefixed, grouped/);
  });
});

describe.concurrent("our own lines after output that ends no line", () => {
  const unfinished = createSandbox({
    "env.cue": cue({
      tasks: {
        out: { command: "printf out", inputs: [] },
        // Of another test than the one before, which runs beside it and asks for a first run.
        other: { command: "printf other", inputs: [] },
        err: { command: "printf err >&2", inputs: [] },
        slow: { command: "printf slow; sleep 60", timeout: "300ms" },
        lines: { command: "echo lines; sleep 60", timeout: "300ms" },
        both: { command: "printf err >&2; sleep 0.1; echo out", inputs: [] },
      },
    }),
  });
  beforeAll(() => unfinished.cuenv(["task"]));

  /** The task's output where both streams lead to one place, as on a terminal. */
  async function together(task: string): Promise<string> {
    const line = `"${process.execPath}" "${launcher}" task ${task} 2>&1`;
    const env = { ...plainEnvironment(unfinished.home), CUENV_CACHE_DIR: unfinished.cacheDir };
    const run = await runProgram("sh", ["-c", line], { cwd: unfinished.root, env });
    return run.stdout;
  }

  it("begin on a line of their own where both streams lead to one place, live and replayed", async () => {
    const cold = await together("out");
    expect(cold).toMatch(/^cuenv out: miss, .*\nout\ncuenv out: ran in .*\n$/);
    expect(await together("out")).toMatch(/^out\ncuenv out: hit.*\n$/);
    // Which of two streams is read first when both have something is nobody's promise.
    expect(await together("both")).toMatch(/\n(?:errout|out\nerr)\ncuenv both: ran in/);
  });

  it("begin on a line of their own on stderr, and add nothing to stdout", async () => {
    const out = await unfinished.cuenv(["task", "other", "--force"]);
    expect(out).toMatchObject({ stdout: "other", stderr: expect.not.stringContaining("\n\n") });
    const err = await unfinished.cuenv(["task", "err"]);
    expect(err.stdout).toBe("");
    expect(err.stderr).toMatch(/^cuenv err: miss, .*\nerr\ncuenv err: ran in .*\n$/);
    expect((await unfinished.cuenv(["task", "err"])).stderr).toMatch(/^err\ncuenv err: hit.*\n$/);
  });

  const hasTerminal = spawnSync("script", ["--version"]).status === 0;
  it.runIf(hasTerminal)(
    "begin on a line of their own on the terminal that a task had for itself",
    async () => {
      for (const task of ["slow", "lines"]) {
        const inside = `stty cols 40; "${process.execPath}" "${launcher}" task ${task}`;
        const env = { ...plainEnvironment(unfinished.home), CUENV_CACHE_DIR: unfinished.cacheDir };
        const run = await runProgram("script", ["-qec", inside, "/dev/null"], {
          cwd: unfinished.root,
          env: { ...env, TERM: "xterm", NO_COLOR: "1" },
        });
        // 40 columns of spaces: after `slow` they wrap, after a finished line they do not.
        const end = task === "slow" ? "slow" : "lines\r\n";
        expect(run.stdout).toMatch(
          new RegExp(`^${end} {40}\\rcuenv ${task}: was ended after its timeout`),
        );
      }
    },
  );
});
