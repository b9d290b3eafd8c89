import { execFileSync } from "node:child_process";
import { chmodSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { json, noCacheDir, plainTask, settingsOf } from "./configured.ts";
import { statusOf } from "./run-json.ts";
import { createSandbox, cue } from "./sandbox.ts";

describe.concurrent("cuenv cache init", () => {
  it.each([
    ["cuenv.cache.yaml", []],
    ["cuenv.cache.json", ["--format", "json"]],
    ["cache.cue", ["--format", "cue"]],
  ])(
    "row 50: writes %s, which sets nothing, is valid, and is not overwritten",
    async (name, args) => {
      const own = createSandbox({
        "env.cue": 'package cuenv\n\ntasks: t: {command: "true", inputs: []}\n',
      });
      expect(await own.cuenv(["cache", "init", ...args])).toMatchObject({
        code: 0,
        stdout: `Wrote ${name}\n`,
      });
      const text = own.read(name);
      expect(text).toContain("maxSize");
      expect(await own.cuenv(["cache", "validate"])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("0 errors, 0 warnings"),
      });
      const sources = Object.entries(await settingsOf(own, [], { env: noCacheDir })).filter(
        ([field]) => field !== "version",
      );
      expect(sources.map(([, { source }]) => source)).toEqual(sources.map(() => "default"));
      own.write(name, "mine");
      const again = await own.cuenv(["cache", "init", ...args]);
      expect([again.code, own.read(name)]).toEqual([3, "mine"]);
      expect(again.stderr).toContain("is there already");
    },
  );

  it("writes lines that are settings as soon as the mark before them goes", async () => {
    const own = createSandbox({
      "env.cue": 'package cuenv\n\ntasks: t: {command: "true", inputs: []}\n',
    });
    await own.cuenv(["cache", "init"]);
    own.write(
      "cuenv.cache.yaml",
      own.read("cuenv.cache.yaml").replaceAll(/^#(?=\S| {2}[a-z])/gm, ""),
    );
    await own.cuenv(["cache", "init", "--format", "cue"]);
    own.write("cache.cue", own.read("cache.cue").replaceAll(/^\t\/\/(?=\S| {2}[a-z])/gm, "\t"));
    for (const file of ["cuenv.cache.yaml", "cache.cue"]) {
      const settings = await settingsOf(own, ["--show-resolution"], { env: noCacheDir });
      const given = Object.values(settings).filter(({ resolution = [] }) =>
        resolution.some((each) => each.file === own.path(file)),
      );
      expect(given).toHaveLength(19);
    }
  });

  it("writes the user's file with --user, readable by any run, and none beside another", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    const file = join(own.home, ".config/cuenv/config.yaml");
    const run = await own.cuenv(["cache", "init", "--user", "--json"]);
    expect(json(run)).toMatchObject({ file, format: "yaml", written: true });
    expect((await own.cuenv(["task", "t"])).stderr).not.toContain("warning");
    expect(await own.cuenv(["cache", "init", "--user", "--format", "json"])).toMatchObject({
      code: 3,
      stdout: "",
    });
  });

  it("row 50: --config-file names the file; --dry-run prints it only", async () => {
    const own = createSandbox({ "env.cue": cue(plainTask) });
    const named = await own.cuenv(["cache", "init", "--config-file", "sub/cuenv.cache.yml"]);
    expect([named.code, own.exists("sub/cuenv.cache.yml"), named.stderr]).toEqual([0, true, ""]);
    const dry = await own.cuenv(["cache", "init", "--dry-run"]);
    expect([dry.stdout, own.exists("cuenv.cache.yaml")]).toEqual([
      own.read("sub/cuenv.cache.yml"),
      false,
    ]);
    expect((await own.cuenv(["cache", "init", "--config-file", "x.toml"])).code).toBe(2);
    expect((await own.cuenv(["cache", "init", "--format", "toml"])).code).toBe(2);
  });
});

describe.concurrent("cuenv cache migrate", () => {
  const old =
    'package cuenv\n\n// a comment\ntasks: t: {command: "true", inputs: [], cache: {mode: "never"}} // another\nconfig: cacheMode: "read"\n';
  const fresh =
    'package cuenv\n\n// a comment\ntasks: t: {command: "true", inputs: [], cache: false} // another\nconfig: cache: defaultMode: "read"\n';

  it("row 50: without a terminal and without --yes it shows the changes, writes nothing, and fails", async () => {
    const own = createSandbox({ "env.cue": old });
    const run = await own.cuenv(["cache", "migrate"]);
    expect([run.code, own.read("env.cue")]).toEqual([2, old]);
    expect(run.stdout).toMatch(/^--- env\.cue\n\+\+\+ env\.cue\n@@ -1,5 \+1,5 @@\n/);
    expect(run.stdout).toMatch(/^-config: cacheMode: "read"$/m);
    expect(run.stdout).toMatch(/^\+config: cache: defaultMode: "read"$/m);
    expect(run.stderr).toMatch(
      /^error: cannot write 1 file: there is no terminal to ask on .*\nhint: nothing was written/,
    );
  });

  it("row 50: --dry-run shows the same and succeeds; --yes writes it and keeps the file's mode", async () => {
    const own = createSandbox({ "env.cue": old, "cuenv.cache.json": '{"base_dir": "c"}' });
    chmodSync(own.path("env.cue"), 0o640);
    const dry = await own.cuenv(["cache", "migrate", "--dry-run"]);
    expect([dry.code, own.read("env.cue")]).toEqual([0, old]);
    const run = await own.cuenv(["cache", "migrate", "--yes"]);
    expect([run.code, own.read("env.cue"), own.read("cuenv.cache.json")]).toEqual([
      0,
      fresh,
      '{"cacheDir": "c"}',
    ]);
    expect(statSync(own.path("env.cue")).mode & 0o777).toBe(0o640);
    expect(await own.cuenv(["cache", "migrate"])).toMatchObject({
      code: 0,
      stdout: "There is nothing to migrate.\n",
    });
    expect((await own.cuenv(["cache", "validate"])).stdout).toContain("0 errors, 0 warnings");
  });

  it("row 40: each deprecated form warns once a run, with what to write, and not after migrating", async () => {
    const own = createSandbox({
      "env.cue": cue({
        config: { cacheEnabled: true, cache: { mode: "read-write" } },
        tasks: {
          a: { command: "true", inputs: [], cache: { enabled: true } },
          b: { command: "true", inputs: [], cache: { mode: "never" }, dependencies: ["a"] },
          c: { command: "true", inputs: [], cache_env: { include: ["X"] }, dependencies: ["b"] },
          d: { command: "true", inputs: [], cache_env: { include: ["X"] }, dependencies: ["c"] },
        },
      }),
    });
    const env = { CUENV_CACHE_BASE_DIR: own.cacheDir, ...noCacheDir };
    const warnings = (text: string): number =>
      text.match(/^warning: .*deprecated: (?:write|set) /gm)?.length ?? 0;
    expect(warnings((await own.cuenv(["task", "d"], { env })).stderr)).toBe(5);
    expect(
      (await own.cuenv(["task", "d"], { env: { ...env, CUENV_CACHE: "off" } })).stderr,
    ).not.toContain("deprecated");
    await own.cuenv(["cache", "migrate", "--yes"]);
    expect(warnings((await own.cuenv(["task", "d"], { env })).stderr)).toBe(1);
    expect(warnings((await own.cuenv(["task", "d"])).stderr)).toBe(0);
  });

  it("cuenv cache validate names every place of a deprecated form, and one of a template once", async () => {
    const own = createSandbox({
      "env.cue": `package cuenv
_cached: {cache: enabled: true, ...}
tasks: {
	a: _cached & {command: "true"}
	b: _cached & {command: "true"}
	c: {command: "true", cache: mode: "never"}
	d: {command: "true", cache_env: include: ["A"]}
	e: {command: "true", cache_env: include: ["B"]}
}
`,
    });
    const { stdout, code } = await own.cuenv(["cache", "validate"]);
    expect(code).toBe(0);
    const lines = stdout.match(/^warning: env\.cue:(\d+)/gm);
    expect(lines?.map((line) => line.split(":").at(-1))).toEqual(["2", "6", "7", "8"]);
  });

  it("says in which file forms are that cannot be rewritten together", async () => {
    const own = createSandbox({
      "template.cue":
        'package cuenv\n#T: {command: string, cache: mode: *"never" | "read-write", ...}\n',
      "env.cue": `package cuenv
tasks: a: #T & {command: "true"}
tasks: b: #T & {command: "true", cache: mode: "read-write"}
`,
    });
    const run = await own.cuenv(["cache", "migrate", "--dry-run"]);
    expect([run.code, run.stdout]).toEqual([3, ""]);
    expect(run.stderr).toMatch(/^error: (?:template|env)\.cue: cannot rewrite .* tasks\.b\.cache/);
  });

  it("row 22: migrated tasks have the keys that they had", async () => {
    const own = createSandbox({
      "env.cue": cue({
        tasks: {
          a: {
            command: "echo a",
            inputs: [],
            cache: { enabled: true, env: { include: ["X"], exclude: ["Y"] } },
          },
          b: { command: "echo b", inputs: [], cache_env: { include: ["X"] } },
          c: { command: "echo c", inputs: [], cache: { mode: "read-write", maxAge: "1h" } },
        },
      }),
    });
    const env = { X: "1" };
    for (const task of ["a", "b", "c"]) expect(await statusOf(own, task, { env })).toBe("miss");
    expect((await own.cuenv(["cache", "migrate", "--yes"])).code).toBe(0);
    for (const task of ["a", "b", "c"]) expect(await statusOf(own, task, { env })).toBe("hit");
  });

  it("refuses what would not mean the same, and leaves every file as it is", async () => {
    // The second of two declarations says nothing new, so the evaluator has no place for it.
    const text =
      'package cuenv\n\n#never: cache: mode: "never"\ntasks: t: #never & {command: "true", cache: mode: "never"}\n#never: {...}\n';
    const own = createSandbox({ "env.cue": text });
    const run = await own.cuenv(["cache", "migrate", "--yes"]);
    expect(own.read("env.cue")).toBe(text);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain("nothing was written");
  });

  it("does not start on a configuration that is wrong", async () => {
    const own = createSandbox({ "env.cue": old.replace("mode:", "moode:") });
    expect(await own.cuenv(["cache", "migrate", "--yes"])).toMatchObject({ code: 3, stdout: "" });
    expect((await own.cuenv(["cache", "migrate", "--yes", "--dry-run"])).code).toBe(2);
  });
});

describe.concurrent("cuenv cache init --package", () => {
  it("writes where a run of that package reads, and not into the folder that one stands in", async () => {
    const own = createSandbox({
      "build.cue": 'package other\ntasks: t: {command: "true", inputs: []}\n',
      "sub/file": "",
    });
    const args = ["-C", "sub", "cache", "init", "--package", "other"];
    expect((await own.cuenv(args)).code).toBe(0);
    expect([own.exists("cuenv.cache.yaml"), own.exists("sub/cuenv.cache.yaml")]).toEqual([
      true,
      false,
    ]);
  });
});

describe.concurrent("a folder without env.cue", () => {
  it("has a hint that fits where one stands", async () => {
    const own = createSandbox({ "apps/web/env.cue": cue({ tasks: { t: { command: "echo t" } } }) });
    for (const [cwd, args] of [
      ["", []],
      ["apps", []],
      ["", ["-C", "apps"]],
    ] as const) {
      const { stderr } = await own.cuenv(["task", "t", ...args], { cwd });
      const folder = /: cuenv task -C (\S+) runs/.exec(stderr)?.[1] ?? "";
      const run = await own.cuenv(["task", "-C", folder, "t"], { cwd });
      expect(run, stderr).toMatchObject({ code: 0, stdout: "t\n" });
    }
  });
});

describe.concurrent("what is no file in the place of an env.cue", () => {
  it("is named where nothing else is found", async () => {
    const own = createSandbox({ "link/sub/x": "", "folder/env.cue/x": "" });
    symlinkSync("nowhere", own.path("link/env.cue"));
    const stderrIn = async (cwd: string): Promise<string> => {
      const { code, stderr } = await own.cuenv(["task"], { cwd });
      expect(code).toBe(3);
      return stderr;
    };
    expect(await stderrIn("link/sub")).toContain(
      `: ${own.path("link/env.cue")} is a link to "nowhere", where no file is [PROJECT_NOT_FOUND]`,
    );
    expect(await stderrIn("folder")).toContain(`${own.path("folder/env.cue")} is no file`);
  });
});

describe.concurrent("a FIFO where a file is looked for", () => {
  it("is none, and is not waited for", async () => {
    const own = createSandbox({ "sub/env.cue": cue({ tasks: { t: { command: "echo found" } } }) });
    execFileSync("mkfifo", [own.path("sub/more.cue"), own.path("env.cue"), own.path("other.cue")]);
    const run = (cwd: string) =>
      own.cuenv(["task", "t"], { cwd, signal: AbortSignal.timeout(30_000) });
    expect(await run("sub")).toMatchObject({ code: 0, stdout: "found\n" });
    expect(await run("")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PROJECT_NOT_FOUND"),
    });
    own.write("project.cue", 'package env\ntasks: t: command: "echo beside"\n');
    expect(await run("")).toMatchObject({ code: 0, stdout: "beside\n" });
  });

  it("is none, and is not waited for, where the root of a workspace or something to begin with is looked for", async () => {
    const own = createSandbox({
      "sub/env.cue": cue({ tasks: { t: { command: "echo found" } } }),
      "fifo/x": "",
      "turbo/package.json": "{}",
    });
    const names = [
      "turbo.json",
      "package.json",
      "fifo/env.cue",
      "fifo/package.json",
      "turbo/turbo.json",
    ];
    execFileSync(
      "mkfifo",
      names.map((name) => own.path(name)),
    );
    const run = (cwd: string, ...args: string[]) =>
      own.cuenv(args, { cwd, signal: AbortSignal.timeout(30_000) });
    expect(await run("sub", "task", "t")).toMatchObject({ code: 0, stdout: "found\n" });
    expect(await run("fifo", "inspect")).toMatchObject({ code: 3 });
    for (const folder of ["fifo", "turbo"])
      expect(await run(folder, "init")).toMatchObject({
        code: 3,
        stderr: expect.stringContaining("it is not a regular file"),
      });
    expect(await run("turbo", "turbo", "sync")).toMatchObject({ code: 3 });
  });
});
