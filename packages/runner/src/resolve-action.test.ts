import { spawnSync } from "node:child_process";
import type { CommandTask, TaskParameter } from "@cuenv/config";
import { CuenvError } from "@cuenv/errors";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandTask } from "../test/project.ts";
import { resolveAction, shellQuote, type TaskOutputs } from "./index.ts";

function argvOf(
  task: CommandTask,
  args: readonly string[] = [],
  outputs: Readonly<Record<string, TaskOutputs>> = {},
): readonly string[] {
  return resolveAction(task, { args, outputsOf: (name) => outputs[name] }).argv;
}

function script(text: string, shell: readonly string[], appendArguments: boolean): CommandTask {
  return commandTask("t", { action: { kind: "shell", shell, script: text, appendArguments } });
}

function errorOf(run: () => unknown): CuenvError {
  try {
    run();
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("it did not throw");
}

const anyArgument = fc.string().map((text) => text.replaceAll("\0", ""));

describe("shellQuote", () => {
  it("survives a shell, whatever the words (row 25)", () => {
    fc.assert(
      fc.property(fc.array(anyArgument, { minLength: 1, maxLength: 8 }), (words) => {
        const run = spawnSync("sh", ["-c", `printf '%s\\0' ${words.map(shellQuote).join(" ")}`], {
          encoding: "utf8",
        });
        expect(run.stdout.split("\0").slice(0, -1)).toEqual(
          words.map((word) => word.toWellFormed()),
        );
      }),
      { numRuns: 60 },
    );
  });

  it("leaves simple words as they are", () => {
    expect(shellQuote("src/a-b_c.ts")).toBe("src/a-b_c.ts");
    expect(shellQuote("")).toBe("''");
  });
});

describe("resolveAction: arguments after --", () => {
  it("appends them to argv as they are", () => {
    const task = commandTask("t", { action: { kind: "argv", argv: ["tool", "a b"] } });
    expect(argvOf(task, ["$x", ""])).toEqual(["tool", "a b", "$x", ""]);
  });

  it("appends them to a command line, quoted, on its last line", () => {
    const argv = argvOf(script("printf '%s.' a\n", ["sh", "-c"], true), ["b c", "$HOME", "it's"]);
    expect(argv).toEqual(["sh", "-c", String.raw`printf '%s.' a 'b c' '$HOME' 'it'\''s'`]);
    expect(spawnSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" }).stdout).toBe(
      "a.b c.$HOME.it's.",
    );
  });

  it("gives them to a script as $1, $2 … and leaves its messages' name as it is", () => {
    const argv = argvOf(script('echo "$0:$#:$1:$2"', ["bash", "-e", "-c"], false), ["x y", "z"]);
    expect(spawnSync(argv[0] ?? "", argv.slice(1), { encoding: "utf8" }).stdout).toBe(
      "bash:2:x y:z\n",
    );
  });

  it("gives them to a program of another language without a $0", () => {
    const argv = argvOf(
      script("console.log(process.argv.slice(1).join())", ["node", "-e"], false),
      ["a", "b"],
    );
    expect(argv.slice(3)).toEqual(["a", "b"]);
  });

  it("changes nothing without arguments", () => {
    expect(argvOf(script("a\n", ["sh", "-c"], true))).toEqual(["sh", "-c", "a\n"]);
    expect(argvOf(script("a", ["sh", "-c"], false))).toEqual(["sh", "-c", "a"]);
  });
});

describe("resolveAction: parameters", () => {
  const parameters: readonly TaskParameter[] = [
    { name: "target", position: 0, required: true, type: "string" },
    { name: "count", position: 1, required: false, type: "int", default: "1" },
    { name: "force", required: false, type: "bool", default: "false" },
    { name: "port", required: false, type: "int", short: "p" },
  ];
  const task = commandTask("deploy", {
    action: {
      kind: "argv",
      argv: ["d", "{{target}}", "{{1}}", "force={{force}}", "port={{port}}"],
    },
    parameters,
  });

  it.each([
    [["prod"], ["prod", "1", "force=false", "port="]],
    [
      ["prod", "-5", "--force"],
      ["prod", "-5", "force=true", "port="],
    ],
    [
      ["--force=false", "--port", "80", "prod"],
      ["prod", "1", "force=false", "port=80"],
    ],
    [
      ["-p=81", "a b", "3"],
      ["a b", "3", "force=false", "port=81"],
    ],
    [
      ["-p", "82", "-"],
      ["-", "1", "force=false", "port=82"],
    ],
    [
      ["prod", "--", "--unknown", "x"],
      ["prod", "1", "force=false", "port=", "--unknown", "x"],
    ],
  ])("reads %j", (args, expected) => {
    expect(argvOf(task, args)).toEqual(["d", ...expected]);
  });

  it.each([
    [[], "TARGET is missing"],
    [["prod", "many"], "COUNT must be a whole number"],
    [["prod", "1", "2"], "one argument too many"],
    [["prod", "--fore"], "no parameter --fore"],
    [["prod", "--force=maybe"], "--force must be true or false"],
    [["prod", "--port"], "--port needs a value"],
    [["prod", "--port", "x"], "--port must be a whole number"],
  ])("refuses %j as wrong usage: %s", (args, reason) => {
    const error = errorOf(() => argvOf(task, args));
    expect(error.code).toBe("RUN_ARGUMENTS");
    expect(error.exitCode).toBe(2);
    expect(error.message).toContain(reason);
  });

  it("calls a positional parameter without a name by its place, and says what it is for", () => {
    const unnamed = commandTask("t", {
      parameters: [{ name: "0", position: 0, required: true, type: "string", description: "Whom" }],
    });
    const error = errorOf(() => argvOf(unnamed));
    expect(error.message).toContain("ARG1 (Whom) is missing");
    expect(error.hint).toContain("-- ARG1");
  });

  it("names the near parameter, else the usage", () => {
    expect(errorOf(() => argvOf(task, ["p", "--forse"])).hint).toContain("--force");
    expect(errorOf(() => argvOf(task, [])).hint).toContain(
      "-- TARGET [COUNT] [--force] [--port N]",
    );
  });
});

describe("resolveAction: outputs of other tasks", () => {
  const outputs = (stdout: Uint8Array | string): Readonly<Record<string, TaskOutputs>> => ({
    version: { stdout: Buffer.from(stdout), stderr: Buffer.from("warned\n"), exitCode: 3 },
  });
  const using = (output: "stdout" | "stderr" | "exitCode"): CommandTask =>
    commandTask("t", {
      action: { kind: "argv", argv: ["echo", { kind: "taskOutput", task: "version", output }] },
    });

  it("takes what $(…) would: without the newlines at the end, others kept", () => {
    expect(argvOf(using("stdout"), [], outputs("\n1.2\n3 \n\n"))).toEqual(["echo", "\n1.2\n3 "]);
    expect(argvOf(using("stderr"), [], outputs(""))).toEqual(["echo", "warned"]);
    expect(argvOf(using("exitCode"), [], outputs(""))).toEqual(["echo", "3"]);
  });

  it("never fills placeholders in them", () => {
    const task = commandTask("t", {
      action: {
        kind: "argv",
        argv: ["echo", { kind: "taskOutput", task: "version", output: "stdout" }],
      },
      parameters: [{ name: "x", required: false, type: "string", default: "no" }],
    });
    expect(argvOf(task, [], outputs("{{x}}"))).toEqual(["echo", "{{x}}"]);
  });

  it.each([
    ["did not run", {}],
    ["NUL byte", outputs("a\0b")],
    ["not UTF-8", outputs(Uint8Array.of(0xff))],
    ["longer than the 131071 bytes", outputs("x".repeat(200_000))],
    // As it is kept of "x", very many newlines, and more: without its end.
    ["longer than the 131071 bytes", outputs(`x${"\n".repeat(1024 * 1024)}`)],
  ])("refuses one that %s", (reason, of) => {
    const error = errorOf(() => argvOf(using("stdout"), [], of));
    expect(error.code).toBe("RUN_OUTPUT_REFERENCE");
    expect(error.message).toContain(reason);
  });
});
