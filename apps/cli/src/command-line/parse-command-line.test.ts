import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import { commands } from "./command-table.ts";
import { helpText } from "./help.ts";
import { parseCommandLine } from "./parse-command-line.ts";

function parse(line: string) {
  return parseCommandLine(
    line.split(" ").filter((word) => word !== ""),
    commands,
  );
}

function invocation(line: string) {
  const parsed = parse(line);
  if (parsed.kind !== "command") throw new Error(`expected a command: ${parsed.kind}`);
  return { name: parsed.command.name, ...parsed.invocation, flags: { ...parsed.invocation.flags } };
}

function usageError(line: string): CuenvError {
  try {
    parse(line);
  } catch (error) {
    if (error instanceof CuenvError) return error;
  }
  throw new Error(`expected a usage error: ${line}`);
}

describe("the command line", () => {
  it("says what is wrong with a flag in words of its own", () => {
    expect(usageError("--verison").hint).toBe('Did you mean "cuenv --version"?');
    // Of a group of commands, the second word alone is compared.
    expect(usageError("cache clera").hint).toBe('Did you mean "cuenv cache clear"?');
    expect(usageError("cache frob").hint).toBe("See cuenv cache --help.");
    expect(usageError("task build --jobs").message).toMatch(/: --jobs needs a value$/);
    expect(usageError("cache prune --max-age -1d").message).toMatch(
      /: --max-age needs a value, and one that begins with a dash is given as --max-age=VALUE$/,
    );
  });

  it("takes flags before and after names, and before the command what holds for all", () => {
    const expected = {
      name: "task",
      flags: { jobs: "2", force: true },
      names: ["build"],
      rest: undefined,
    };
    for (const line of [
      "task --jobs 2 build -f",
      "task build --jobs=2 --force",
      "t -j2 -f build",
      "run -f build -j 2",
    ]) {
      expect(invocation(line), line).toEqual(expected);
    }
    for (const line of [
      "-C dir task build",
      "--directory=dir task build",
      "task build -C dir",
      "-Cdir task build",
    ]) {
      expect(invocation(line), line).toMatchObject({
        flags: { directory: "dir" },
        names: ["build"],
      });
    }
  });

  it.each([
    ["-C", "-C needs a folder"],
    ["--directory", "--directory needs a folder"],
    ["-C -- task", "-C needs a folder"],
    ["-- task build", "no command stands before --"],
    ["help taks", 'unknown command "taks"'],
    ["help cache stat", 'unknown command "cache stat"'],
  ])("takes `cuenv %s` for wrong usage, not for a question for help", (line, reason) => {
    expect(usageError(line).message).toContain(reason);
  });

  it("prints help that is asked for", () => {
    for (const line of [
      "",
      "--",
      "help",
      "--help",
      "help --help",
      "help cache",
      "help task",
      "-C dir",
    ])
      expect(parse(line), line).toMatchObject({ kind: "help" });
  });

  it("keeps apart what stands behind --, as it is", () => {
    expect(invocation("task test -- --watch=false -- -x")).toMatchObject({
      names: ["test"],
      rest: ["--watch=false", "--", "-x"],
    });
    expect(invocation("task test --")).toMatchObject({ rest: [] });
    expect(invocation("exec -- ls -C /")).toMatchObject({
      name: "exec",
      flags: {},
      rest: ["ls", "-C", "/"],
    });
  });

  it("finds commands of two words", () => {
    expect(invocation("cache verify --repair")).toMatchObject({
      name: "cache verify",
      flags: { repair: true },
    });
  });

  it("names the near command or flag, with the exit code of wrong usage", () => {
    const slips = {
      tsak: "cuenv task",
      "cache claer": "cuenv cache clear",
      "task --forec": "--force",
      "cache stats --jsno": "--json",
    };
    for (const [line, meant] of Object.entries(slips)) {
      const error = usageError(line);
      expect(error.hint, line).toContain(meant);
      expect(error.exitCode).toBe(2);
    }
    expect(usageError("task --jobs").message).toContain("jobs");
    expect(usageError("--frobnicate task").message).toContain("unknown flag --frobnicate");
  });

  it("says where flags of another program stand", () => {
    for (const line of ["exec ls -la", "task test --coverage", "t test --coverage"])
      expect(usageError(line).hint, line).toMatch(
        /^What is for the program stands behind --\. See /,
      );
    for (const line of ["task --coverage", "cache stats --coverage", "task test --jobs"])
      expect(usageError(line).hint, line).toMatch(/^See /);
  });

  it("refuses words that a command would pass over", () => {
    expect(usageError("cache clear build").message).toContain('"build"');
    expect(usageError("cache stats -- x").exitCode).toBe(2);
  });

  it("gives help for everything, for a group, and for each command with an example", () => {
    for (const line of ["", "help", "--help", "-h"])
      expect(parse(line)).toMatchObject({ kind: "help", command: undefined });
    expect(parse("cache")).toMatchObject({ kind: "help", topic: "cache" });
    for (const command of commands) {
      expect(parse(`${command.name} --help`)).toMatchObject({ kind: "help", command });
      const text = helpText(command, undefined);
      expect(text).toContain("Examples:");
      for (const columns of [80, 120]) {
        const lines = helpText(command, undefined, columns).split("\n");
        // What is to be copied stands on a line of its own, whole.
        const prose = lines.filter((line) => !/^(?: {2}|Usage: |Also: {2})\S*cuenv /.test(line));
        for (const line of prose)
          expect(line.length, line).toBeLessThanOrEqual(Math.min(columns, 100));
      }
    }
    expect(parse("--version")).toEqual({ kind: "version" });
  });
});
