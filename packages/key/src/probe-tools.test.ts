import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { describe, expect, it } from "vitest";
import { temporaryWorkspace, writeFiles } from "../test/temporary-workspace.ts";
import { findExecutable } from "./find-executable.ts";
import { createToolProbe, probeTools, type ToolOutputs } from "./probe-tools.ts";

/** A JavaScript program that counts its runs; it looks like a tool of node's kind, which may be remembered. */
function tool(root: string, path: string, prints: string): void {
  const counter = JSON.stringify(join(root, "runs"));
  writeFiles(root, {
    [path]: `#!${process.execPath}\nrequire("fs").appendFileSync(${counter}, "x"); console.log(${JSON.stringify(prints)});\n`,
  });
  chmodSync(join(root, path), 0o755);
}

function runs(root: string): number {
  const counter = join(root, "runs");
  return existsSync(counter) ? readFileSync(counter, "utf8").length : 0;
}

function env(root: string): Record<string, string> {
  return { PATH: [join(root, "bin"), process.env["PATH"] ?? ""].join(delimiter) };
}

function output(result: ToolOutputs): string {
  return result.kind === "probed"
    ? result.outputs.map((each) => each.output).join("|")
    : result.text;
}

describe("probeTools", () => {
  it("gives what commands print, each once, with and without a shell", async () => {
    const root = temporaryWorkspace({});
    tool(root, "bin/tool", "v1.2\r\nsecond  \n\n");
    const commands = ["tool --version", "echo a | tr a b", "tool --version"];
    expect(await probeTools(commands, { directory: root, env: env(root) })).toEqual({
      kind: "probed",
      outputs: [
        { command: "tool --version", output: "v1.2\nsecond" },
        { command: "echo a | tr a b", output: "b" },
      ],
    });
    expect(runs(root)).toBe(1);
  });

  it("takes stderr when stdout is empty", async () => {
    const root = temporaryWorkspace({});
    expect(output(await probeTools(["echo v8 >&2"], { directory: root, env: env(root) }))).toBe(
      "v8",
    );
  });

  it("says which command fails, and why", async () => {
    const root = temporaryWorkspace({});
    const fail = async (command: string): Promise<string> =>
      output(await probeTools([command], { directory: root, env: env(root) }));
    expect(await fail("no-such-tool-here --version")).toMatch(
      /"no-such-tool-here --version" failed: .*(not found)/,
    );
    expect(await fail("echo broken >&2; exit 3")).toBe(
      'its runtime command "echo broken >&2; exit 3" failed: exit code 3: broken',
    );
    expect(await fail("yes | head -c 100000")).toMatch(/more than 65536 bytes/);
  });

  it("runs in the project's folder, with what passes through and nothing else", async () => {
    const root = temporaryWorkspace({ "p/version": "7" });
    const options = { directory: join(root, "p"), env: { ...env(root), DECLARED: "x", LANG: "C" } };
    expect(output(await probeTools(["cat version; echo $DECLARED-$LANG"], options))).toBe("7-C");
  });
});

describe("createToolProbe", () => {
  it("does not run a tool again, in this run and in the next, until its file changes", async () => {
    const root = temporaryWorkspace({});
    tool(root, "bin/tool", "v1");
    const probe = createToolProbe({ directory: root, memo: undefined });
    expect(output(await probe.probe(["tool -v"], env(root)))).toBe("v1");
    expect(output(await probe.probe(["tool -v"], env(root)))).toBe("v1");
    expect(runs(root)).toBe(1);
    const next = createToolProbe({ directory: root, memo: probe.serialize() });
    expect(output(await next.probe(["tool -v"], env(root)))).toBe("v1");
    expect(next.serialize()).toBeUndefined();
    expect(runs(root)).toBe(1);
    tool(root, "bin/tool", "v2!");
    const later = createToolProbe({ directory: root, memo: probe.serialize() });
    expect(output(await later.probe(["tool -v"], env(root)))).toBe("v2!");
    expect(runs(root)).toBe(2);
  });

  it("looks along the PATH that it is given", async () => {
    const root = temporaryWorkspace({});
    tool(root, "bin/tool", "one");
    const probe = createToolProbe({ directory: root, memo: undefined });
    expect(output(await probe.probe(["tool"], env(root)))).toBe("one");
    tool(root, "other/tool", "two");
    expect(output(await probe.probe(["tool"], { PATH: join(root, "other") }))).toBe("two");
  });

  it("takes a damaged memo for an empty one", async () => {
    const root = temporaryWorkspace({});
    tool(root, "bin/tool", "v1");
    for (const memo of [
      "",
      "{",
      "null",
      '{"version":1,"tools":[null]}',
      '{"version":1,"tools":[{"command":1}]}',
      '{"version":9}',
    ]) {
      const probe = createToolProbe({ directory: root, memo });
      expect(output(await probe.probe(["tool"], env(root)))).toBe("v1");
    }
  });
});

describe("findExecutable", () => {
  it("never remembers what may be a shim, and takes no shell syntax for a program", () => {
    const root = temporaryWorkspace({});
    for (const path of ["bin/tool", "bin/rustup", ".volta/bin/vtool", "shims/stool"])
      tool(root, path, "");
    symlinkSync("rustup", join(root, "bin/rustc"));
    writeFileSync(join(root, "bin/wrapper"), "#!/bin/sh\nexec real\n", { mode: 0o755 });
    const path = ["bin", ".volta/bin", "shims"].map((folder) => join(root, folder)).join(delimiter);
    const identity = (command: string): string | undefined =>
      findExecutable(command, root, path)?.identity;
    expect(identity("tool --version")).toContain(join(root, "bin/tool"));
    expect(identity("./bin/tool")).toBeDefined();
    for (const shim of ["rustc -V", "vtool", "stool", "wrapper"]) {
      expect(findExecutable(shim, root, path)).toBeDefined();
      expect(identity(shim)).toBeUndefined();
    }
    for (const shell of ["tool | cat", "A=1 tool", "tool $X", "tool 'x'", "absent", ""]) {
      expect(findExecutable(shell, root, path)).toBeUndefined();
    }
    rmSync(join(root, "bin/tool"));
    expect(findExecutable("tool", root, path)).toBeUndefined();
  });
});
