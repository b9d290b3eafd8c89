import { checksum, sealText } from "@cuenv/digest";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { temporaryWorkspace, writeFiles } from "../test/temporary-workspace.ts";
import { findExecutable } from "./find-executable.ts";
import { createToolProbe, probeTools, type ToolOutputs } from "./probe-tools.ts";

/** A folder whose JavaScript programs are those of installed packages. */
function installation(): string {
  return join(temporaryWorkspace({}), "node_modules/tools");
}

/** A JavaScript program that counts its runs; one of an installed package may be remembered. */
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
    const root = installation();
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
    const root = installation();
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
    const root = installation();
    tool(root, "bin/tool", "one");
    const probe = createToolProbe({ directory: root, memo: undefined });
    expect(output(await probe.probe(["tool"], env(root)))).toBe("one");
    tool(root, "other/tool", "two");
    expect(output(await probe.probe(["tool"], { PATH: join(root, "other") }))).toBe("two");
  });

  it("asks again in a run only where the PATH is another, and keeps no more than fits", async () => {
    const root = installation();
    tool(root, "bin/tool", "v1");
    const counting = `echo x >> ${join(root, "asked")}; echo ok`;
    const probe = createToolProbe({ directory: root, memo: undefined });
    for (const path of ["/usr/bin:/bin", "/usr/bin:/bin", "/bin:/usr/bin"])
      expect(await probe.probe([counting], { PATH: path })).toMatchObject({ kind: "probed" });
    expect(readFileSync(join(root, "asked"), "utf8")).toBe("x\nx\n");
    // What needs a shell is not remembered for the next run.
    expect(probe.serialize()).toBeUndefined();
    expect(await probe.probe([], {})).toEqual({ kind: "probed", outputs: [] });
  });

  it("asks again in a run for a task that sets what the tool goes by", async () => {
    const root = temporaryWorkspace({});
    const probe = createToolProbe({ directory: root, memo: undefined });
    const asked = async (more: Record<string, string>): Promise<string> =>
      output(await probe.probe(["echo $JAVA_HOME; echo x >> asked"], { ...env(root), ...more }));
    expect(await asked({ JAVA_HOME: "/17" })).toBe("/17");
    expect(await asked({ JAVA_HOME: "/21", DECLARED: "x" })).toBe("/21");
    expect(await asked({ DECLARED: "y", JAVA_HOME: "/17" })).toBe("/17");
    expect(readFileSync(join(root, "asked"), "utf8")).toBe("x\nx\n");
  });

  it("asks again once a task has run: what failed, and what another file answers", async () => {
    const root = temporaryWorkspace({});
    tool(root, "bin/tool", "v1");
    const probe = createToolProbe({ directory: root, memo: undefined });
    const asked = async (command: string): Promise<string> =>
      output(await probe.probe([command], env(root)));
    expect(await asked("late --version")).toContain("not found");
    expect(await asked("tool --help")).toBe("v1");
    tool(root, "bin/late", "installed");
    expect(await asked("late --version")).toContain("not found");
    probe.lookAgain();
    expect(await asked("late --version")).toBe("installed");
    expect(await asked("tool --help")).toBe("v1");
    expect(runs(root)).toBe(2);
    tool(root, "bin/tool", "v2, and longer");
    probe.lookAgain();
    expect(await Promise.all([asked("tool --help"), asked("tool --help")])).toEqual([
      "v2, and longer",
      "v2, and longer",
    ]);
    expect(runs(root)).toBe(3);
  });

  it("does not remember a failure for the next run, and tells it apart from output", async () => {
    const root = temporaryWorkspace({});
    writeFiles(root, {
      "bin/bad": `#!${process.execPath}\nconsole.error("no"); process.exit(4);\n`,
    });
    chmodSync(join(root, "bin/bad"), 0o755);
    const probe = createToolProbe({ directory: root, memo: undefined });
    expect(await probe.probe(["bad -v"], env(root))).toEqual({
      kind: "failed",
      command: "bad -v",
      text: 'its runtime command "bad -v" failed: exit code 4: no',
    });
    expect(probe.serialize()).toBeUndefined();
  });

  it("takes nothing from a memo that is sealed and of another form", async () => {
    const root = installation();
    tool(root, "bin/tool", "v1");
    const path = join(root, "bin/tool");
    const identity = findExecutable("tool", root, join(root, "bin"))?.identity;
    const good = { command: "tool -v", path, identity, output: "remembered" };
    const probed = async (memo: unknown): Promise<string> => {
      const text = sealText(JSON.stringify(memo), checksum);
      return output(
        await createToolProbe({ directory: root, memo: text }).probe(["tool -v"], env(root)),
      );
    };
    expect(await probed({ version: 1, tools: [good] })).toBe("remembered");
    for (const memo of [
      { version: 2, tools: [good] },
      { tools: [good] },
      { version: 1, tools: { 0: good, length: 1 } },
      { version: 1, tools: [{ ...good, output: 1 }] },
      { version: 1, tools: [{ ...good, identity: 1 }] },
      { version: 1, tools: [{ ...good, path: 1 }] },
      { version: 1, tools: [{ ...good, command: ["tool -v"] }] },
      { version: 1, tools: [{ ...good, identity: "another" }] },
      null,
      [good],
    ])
      expect(await probed(memo), JSON.stringify(memo)).toBe("v1");
  });

  it("asks a tool of the workspace again, which reads its version from another file", async () => {
    const root = temporaryWorkspace({ "packages/gen/package.json": '{"version":"1.0.0"}' });
    writeFiles(root, {
      "packages/gen/bin/gen.js": `#!${process.execPath}\nconsole.log(require("../package.json").version);\n`,
    });
    chmodSync(join(root, "packages/gen/bin/gen.js"), 0o755);
    // As pnpm and npm link the programs of a workspace's packages.
    mkdirSync(join(root, "node_modules/.bin"), { recursive: true });
    symlinkSync("../packages/gen", join(root, "node_modules/gen"));
    symlinkSync("../gen/bin/gen.js", join(root, "node_modules/.bin/gen"));
    const path = { PATH: join(root, "node_modules/.bin") };
    const probe = createToolProbe({ directory: root, memo: undefined });
    expect(output(await probe.probe(["gen --version"], path))).toBe("1.0.0");
    writeFiles(root, { "packages/gen/package.json": '{"version":"2.0.0"}' });
    const next = createToolProbe({ directory: root, memo: probe.serialize() });
    expect(output(await next.probe(["gen --version"], path))).toBe("2.0.0");
  });

  it("asks one again whose version the project decides: by name, or installed for the whole machine", async () => {
    const root = temporaryWorkspace({});
    const project = join(root, "project");
    const paths = ["project/node_modules/pnpm/pnpm", "lib/node_modules/turbo/turbo", "bin/dotnet"];
    for (const path of paths) tool(root, path, "");
    tool(root, "project/node_modules/local/local", "");
    writeFileSync(join(root, "bin/dotnet"), "\u007fELF", { mode: 0o755 });
    tool(root, "cargo/bin/rustc", "");
    writeFileSync(join(root, "cargo/bin/rustc"), "\u007fELF", { mode: 0o755 });
    const identity = (path: string): string | undefined =>
      findExecutable(join(root, path), project, "")?.identity;
    for (const path of [...paths, "cargo/bin/rustc"]) expect(identity(path), path).toBeUndefined();
    expect(identity("project/node_modules/local/local")).toBeDefined();
    // As a store for all projects has it, which `node_modules/.bin` leads to.
    tool(root, "store/node_modules/stored/stored", "");
    symlinkSync(
      join(root, "store/node_modules/stored/stored"),
      join(project, "node_modules/stored"),
    );
    expect(identity("project/node_modules/stored")).toBeDefined();
    expect(identity("store/node_modules/stored/stored")).toBeUndefined();
  });

  it("is called off with the run", async () => {
    const root = temporaryWorkspace({});
    const controller = new AbortController();
    const asked = probeTools(["sleep 30"], {
      directory: root,
      env: env(root),
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    expect(await asked).toMatchObject({ kind: "failed", command: "sleep 30" });
  });

  it("leaves nothing of a shell's command behind when it is called off", async () => {
    const root = temporaryWorkspace({});
    const controller = new AbortController();
    const command = "sleep 600 & echo $! > pid.new; mv pid.new pid; wait";
    const asked = probeTools([command], {
      directory: root,
      env: env(root),
      signal: controller.signal,
    });
    while (!existsSync(join(root, "pid"))) await sleep(5);
    controller.abort();
    expect(await asked).toMatchObject({ kind: "failed" });
    const pid = readFileSync(join(root, "pid"), "utf8").trim();
    // SIGKILL needs no consent, but a moment; in a container without an init nobody asks for its exit code.
    const isRunning = (): boolean =>
      existsSync(`/proc/${pid}/stat`) &&
      !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
    while (isRunning()) await sleep(5);
  });

  it("says what a tool that fails says: its first line, cut, or its exit code alone", async () => {
    const root = temporaryWorkspace({});
    const fail = async (command: string): Promise<string> =>
      output(await probeTools([command], { directory: root, env: env(root) }));
    const begin = (command: string): string =>
      `its runtime command ${JSON.stringify(command)} failed: `;
    for (const [command, reason] of [
      ["exit 5", "exit code 5"],
      ["echo >&2; echo '  one' >&2; echo two >&2; exit 6", "exit code 6: one"],
      ["printf '%0300d' 1 >&2; exit 7", `exit code 7: ${"0".repeat(200)}`],
    ] as const)
      expect(await fail(command)).toBe(begin(command) + reason);
    expect(await fail("./not-there -v")).toContain("not");
    expect(await fail("kill -TERM $$")).toMatch(/failed: ended by SIGTERM$/);
  });

  it("takes what a tool prints to stdout, blanks or not, before what it warns of", async () => {
    const root = temporaryWorkspace({});
    const say = async (command: string): Promise<string> =>
      output(await probeTools([command], { directory: root, env: env(root) }));
    expect(await say("echo '  v1 '; echo warning >&2")).toBe("  v1");
    expect(await say("echo '  '; echo v2 >&2")).toBe("v2");
    expect(await say("cat; echo done")).toBe("done");
  });

  it("takes a damaged memo for an empty one", async () => {
    const root = installation();
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
      expect(output(await probe.probe(["tool -v"], env(root)))).toBe("v1");
    }
  });

  it.each(["cat version", "cat", "cat -v version", "cat --version version", "cat version -v"])(
    "asks again in the next run what is no question for a version: %s",
    async (command) => {
      const root = temporaryWorkspace({ version: "one" });
      const probe = createToolProbe({ directory: root, memo: undefined });
      await probe.probe([command], env(root));
      expect(probe.serialize()).toBeUndefined();
    },
  );

  it.each(["-v", "-V", "-vV", "-version", "--version"])(
    "remembers the answer to %s",
    async (flag) => {
      const root = installation();
      tool(root, "bin/tool", "v1");
      const probe = createToolProbe({ directory: root, memo: undefined });
      await probe.probe([`tool ${flag}`], env(root));
      expect(probe.serialize()).toContain("v1");
    },
  );
});

describe("findExecutable", () => {
  it("never remembers what may be a shim, and takes no shell syntax for a program", () => {
    const root = installation();
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

  it("passes over folders and files that cannot be executed, as the system does", () => {
    const root = temporaryWorkspace({ "one/tool/x": "", "two/tool": "", file: "" });
    tool(root, "three/tool", "");
    const path = ["gone", "file", "one", "two", "three"]
      .map((each) => join(root, each))
      .join(delimiter);
    expect(findExecutable("tool   -v   now", root, path)).toMatchObject({
      argv: ["tool", "-v", "now"],
      path: join(root, "three/tool"),
    });
    expect(findExecutable("tool", root, "three")?.path).toBe(join(root, "three/tool"));
    expect(findExecutable(join(root, "three/tool"), root, "")?.path).toBe(join(root, "three/tool"));
    expect(findExecutable("A=three/tool", root, path)).toBeUndefined();
    mkdirSync(join(root, "A=1"));
    expect(findExecutable("A=1/tool", root, path)).toBeUndefined();
  });

  it("tells files apart by size, times and inode, and names without their endings", () => {
    const root = installation();
    tool(root, "bin/tool.js", "");
    symlinkSync("tool.js", join(root, "bin/tool"));
    tool(root, "bin/tool.js.old", "");
    symlinkSync("tool.js.old", join(root, "bin/older"));
    const identity = (command: string): string | undefined =>
      findExecutable(command, root, join(root, "bin"))?.identity;
    const parts = identity("tool")?.split("\0");
    const { size, mtimeMs, ctimeMs, ino } = statSync(join(root, "bin/tool.js"));
    expect(parts).toEqual([
      join(root, "bin/tool.js"),
      ...[size, mtimeMs, ctimeMs, ino].map(String),
    ]);
    expect(identity("older")).toBeUndefined();
    writeFileSync(join(root, "bin/binary"), "\u007fELF of node", { mode: 0o755 });
    writeFileSync(join(root, "bin/text"), "no #! line\n", { mode: 0o755 });
    writeFileSync(join(root, "bin/empty"), "", { mode: 0o755 });
    for (const plain of ["binary", "text", "empty"]) expect(identity(plain)).toBeDefined();
  });

  it("leaves no file open", () => {
    const root = installation();
    tool(root, "bin/tool", "");
    const before = readdirSync("/proc/self/fd").length;
    for (let times = 0; times < 5; times += 1) findExecutable("tool", root, join(root, "bin"));
    expect(readdirSync("/proc/self/fd").length).toBe(before);
  });
});
