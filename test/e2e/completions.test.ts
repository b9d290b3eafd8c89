import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import {
  createSandbox,
  cue,
  launcher,
  plainEnvironment,
  runProgram,
  type Sandbox,
} from "./sandbox.ts";

const tasks = {
  build: { command: "true", description: "Build: all of it" },
  "test:unit": { command: "true" },
  "test:e2e": { command: "true" },
  "two words": { command: "true" },
  seq: [{ command: "true" }],
};

let sandbox: Sandbox;
/** A `cuenv` on PATH. */
let bin: string;
beforeAll(async () => {
  sandbox = createSandbox({
    "env.cue": cue({ tasks, env: { environment: { production: { A: "1" } } } }),
    "sub/env.cue": cue({ tasks: { inner: { command: "true" } } }),
  });
  bin = join(dirname(sandbox.root), "bin");
  mkdirSync(bin);
  writeFileSync(join(bin, "cuenv"), `#!/bin/sh\nexec '${process.execPath}' '${launcher}' "$@"\n`);
  chmodSync(join(bin, "cuenv"), 0o755);
  await sandbox.cuenv(["task"]);
});

function environment(): Record<string, string> {
  const plain = plainEnvironment(sandbox.home);
  return { ...plain, PATH: `${bin}:${plain["PATH"]}`, CUENV_CACHE_DIR: sandbox.cacheDir };
}

const has = (shell: string): boolean => spawnSync(shell, ["--version"]).error === undefined;

describe("cuenv __complete", () => {
  it("gives a value, a tab and what it is, a line each", async () => {
    const run = await sandbox.cuenv(["__complete", "--", "task", ""]);
    expect(run).toMatchObject({ code: 0, stderr: "" });
    expect(run.stdout.split("\n")).toEqual([
      "build\tBuild: all of it",
      "test:unit\t",
      "test:e2e\t",
      "two words\t",
      "seq\t",
      "seq[0]\t",
      "",
    ]);
    const inner = await sandbox.cuenv(["__complete", "--", "-C", "sub", "task", ""]);
    expect(inner.stdout).toBe("inner\t\n");
    const names = await sandbox.cuenv(["__complete", "--", "task", "--env="], {
      env: { CUENV_ENV: "nowhere" },
    });
    expect(names.stdout).toBe("--env=production\t\n");
  });

  it("gives the tasks of the package that is named on the line", async () => {
    const own = createSandbox({
      "env.cue": cue({ tasks: { mine: { command: "true" } } }),
      "other.cue": 'package other\ntasks: theirs: command: "true"\n',
    });
    const tasksOf = async (...words: string[]): Promise<string> =>
      (await own.cuenv(["__complete", "--", "task", ...words, ""])).stdout;
    expect(await tasksOf()).toBe("mine\t\n");
    expect(await tasksOf("--package", "other")).toBe("theirs\t\n");
    expect(await tasksOf("--package=other")).toBe("theirs\t\n");
  });

  it("never fails: without a project, with a broken one, with a folder that is not there", async () => {
    const none = createSandbox({});
    const broken = createSandbox({ "env.cue": "tasks: {" });
    for (const each of [none, broken])
      expect(await each.cuenv(["__complete", "--", "task", ""])).toMatchObject({
        code: 0,
        stdout: "",
        stderr: "",
      });
    for (const words of [["-C", "nowhere", "task", ""], [], ["--"], ["", "", ""]])
      expect(await sandbox.cuenv(["__complete", "--", ...words])).toMatchObject({
        code: 0,
        stderr: "",
      });
  });
});

describe("cuenv completions", () => {
  it("names the shells when it is asked for another one", async () => {
    for (const args of [[], ["tcsh"], ["bash", "zsh"]])
      expect(await sandbox.cuenv(["completions", ...args])).toMatchObject({ code: 2, stdout: "" });
    expect((await sandbox.cuenv(["completions", "bahs"])).stderr).toMatch(/Did you mean bash/);
  });

  it.skipIf(!has("script"))(
    "complete in a real bash, names with colons and spaces too",
    async () => {
      const lines = [
        'eval "$(cuenv completions bash)"',
        "show() { printf '<%s>' \"$@\"; echo; }",
        "alias cuenv='show cuenv'",
        "cuenv task test:u\t",
        "cuenv task bui\t",
        "cuenv task tw\t",
        "cuenv task --cache=off tes\t\tu\t",
        "cuenv doc\t",
        "cuenv -C su\t",
        "exit",
        "",
      ];
      const child = spawnSync("script", ["-qec", "bash --norc --noprofile -i", "/dev/null"], {
        cwd: sandbox.root,
        env: { ...environment(), TERM: "dumb" },
        input: lines.join("\n"),
        encoding: "utf8",
      });
      const shown = child.stdout.split("\r\n").filter((line) => line.startsWith("<cuenv>"));
      expect(shown, child.stdout).toEqual([
        "<cuenv><task><test:unit>",
        "<cuenv><task><build>",
        "<cuenv><task><two words>",
        "<cuenv><task><--cache=off><test:unit>",
        "<cuenv><doctor>",
        "<cuenv><-C><sub/>",
      ]);
    },
  );

  it.each(["bash", "zsh", "fish"])("are a program that %s can read", async (shell) => {
    const { code, stdout } = await sandbox.cuenv(["completions", shell]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/__complete/);
    if (!has(shell)) return;
    const flag = shell === "fish" ? "--no-execute" : "-n";
    sandbox.write(`../script.${shell}`, stdout);
    const checked = await runProgram(shell, [flag, sandbox.path(`../script.${shell}`)], {
      cwd: sandbox.root,
      env: environment(),
    });
    expect(checked).toMatchObject({ code: 0, stderr: "" });
  });

  it.skipIf(!has("fish"))("complete in a real fish", async () => {
    const script = "cuenv completions fish | source; complete -C 'cuenv task test:'";
    const run = await runProgram("fish", ["--no-config", "-c", script], {
      cwd: sandbox.root,
      env: environment(),
    });
    expect(run.stdout.trim().split("\n").toSorted(), run.stderr).toEqual(["test:e2e", "test:unit"]);
  });
});
