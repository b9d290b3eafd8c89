import { describe, expect, it } from "vitest";
import { commands } from "../command-line/command-table.ts";
import { type Completion, completionOf } from "./candidates.ts";

/** What is offered for the last word of a line; a line that ends with a space has begun a new one. */
function offered(line: string): Completion {
  return completionOf(line.split(" ").slice(1)).completion;
}

function values(line: string): readonly string[] {
  const completion = offered(line);
  if (completion.kind !== "these") throw new Error(`${line}: ${completion.kind}`);
  return completion.candidates.map(({ value }) => value);
}

describe("completion", () => {
  it("offers commands by their first word, then by their second, and no hidden one", () => {
    const first = values("cuenv ");
    expect(new Set(first).size).toBe(first.length);
    expect(first).toEqual(
      expect.arrayContaining(["task", "exec", "why", "cache", "keys", "doctor"]),
    );
    expect(first.filter((name) => name.startsWith("_"))).toEqual([]);
    expect(values("cuenv ta")).toEqual(["task"]);
    expect(values("cuenv cache ")).toEqual(
      commands.flatMap(({ name }) => (name.startsWith("cache ") ? [name.slice(6)] : [])),
    );
    expect(values("cuenv cache cl")).toEqual(["clear", "cleanup"]);
    expect(values("cuenv help wh")).toEqual(["why"]);
    expect(values("cuenv nonsense ")).toEqual([]);
  });

  it("offers every flag of a command", () => {
    for (const { name, flags, hidden } of commands) {
      if (hidden === true) continue;
      const expected = [...Object.keys(flags), "help"].map((flag) => `--${flag}`);
      expect(values(`cuenv ${name} --`), name).toEqual(expected);
    }
    expect(values("cuenv -")).toEqual(["--directory", "--help", "--version"]);
  });

  it("offers tasks where a task may stand, without those that are on the line", () => {
    for (const line of [
      "cuenv task b",
      "cuenv t b",
      "cuenv run b",
      "cuenv why b",
      "cuenv -C x task b",
    ])
      expect(offered(line), line).toEqual({ kind: "tasks", prefix: "", begun: "b", taken: [] });
    expect(offered("cuenv task build --jobs 2 test -e x ")).toMatchObject({
      taken: ["build", "test"],
    });
    expect(offered("cuenv why build ")).toEqual({ kind: "these", candidates: [] });
    expect(values("cuenv cache clear ")).toEqual([]);
  });

  it("offers the values that a flag takes, in both of its forms", () => {
    expect(values("cuenv task --cache ")).toEqual(["off", "read", "read-write", "write"]);
    expect(values("cuenv task --cache=re")).toEqual(["--cache=read", "--cache=read-write"]);
    expect(offered("cuenv task -e p")).toMatchObject({
      kind: "environments",
      prefix: "",
      begun: "p",
    });
    expect(offered("cuenv task --env=p")).toMatchObject({ prefix: "--env=", begun: "p" });
    expect(values("cuenv task --jobs ")).toEqual([]);
    expect(values("cuenv task --force=")).toEqual([]);
    expect(values("cuenv completions ")).toEqual(["bash", "zsh", "fish"]);
  });

  it("leaves files and folders to the shell", () => {
    for (const line of ["cuenv -C ", "cuenv task -C ", "cuenv task build --directory "])
      expect(offered(line).kind, line).toBe("folders");
    for (const line of [
      "cuenv keys trust ",
      "cuenv task t --summary ",
      "cuenv exec -- ls ",
      "cuenv task t -- ",
    ])
      expect(offered(line).kind, line).toBe("files");
  });

  it("knows the folder that -C leads to", () => {
    for (const line of ["-C sub task ", "task -C sub ", "--directory=sub task ", "task -Csub "])
      expect(completionOf(line.split(" ")).folder, line).toBe("sub");
    expect(completionOf(["task", "--", "-C", "sub", ""]).folder).toBeUndefined();
  });

  it("has something to say to any line", () => {
    for (const line of [
      "cuenv",
      "cuenv  ",
      "cuenv -C",
      "cuenv task --",
      "cuenv task --=",
      "cuenv task -",
      "cuenv __complete ",
    ])
      expect(() => offered(line), line).not.toThrow();
    expect(completionOf([]).completion.kind).toBe("these");
  });
});
