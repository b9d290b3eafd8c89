import { describe, expect, it } from "vitest";
import { createSandbox, cue, type Sandbox } from "./sandbox.ts";
import { runProgram, turboProgram, type TurboVersion, turboVersions } from "./turbo-workspace.ts";

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;
const manifest = (name: string, ...scripts: readonly string[]): string =>
  json({
    name,
    version: "1.0.0",
    scripts: Object.fromEntries(scripts.map((each) => [each, `cuenv task ${each} --only`])),
  });

/** A library that generates a file, and an application that reads what it builds. */
function workspace(): Sandbox {
  const build = { command: "cp -r src dist", inputs: ["src"], outputs: ["dist"] };
  return createSandbox({
    "package.json": json({
      private: true,
      packageManager: "npm@11.0.0",
      workspaces: ["packages/*"],
    }),
    "package-lock.json": json({ name: "root", lockfileVersion: 3, packages: {} }),
    ".gitignore": "node_modules\n.turbo\ndist\nsrc/gen\n",
    "packages/lib/package.json": manifest("lib", "gen", "build"),
    "packages/lib/src/in.txt": "lib\n",
    "packages/lib/env.cue": cue({
      tasks: {
        gen: { command: "mkdir -p src/gen", inputs: [], outputs: ["src/gen"] },
        build: { ...build, dependencies: ["gen"] },
      },
    }),
    "packages/app/package.json": manifest("app", "build"),
    "packages/app/src/in.txt": "app\n",
    "packages/app/env.cue": cue({
      tasks: {
        build: {
          ...build,
          inputs: ["src", "!src/*.md", "//packages/lib/dist"],
          cacheConfig: { envInclude: ["APP_*"], envExclude: ["APP_KEY"] },
        },
      },
    }),
  });
}

interface DryRun {
  readonly tasks: readonly {
    readonly taskId: string;
    readonly command: string;
    readonly inputs: Readonly<Record<string, string>>;
    readonly outputs: readonly string[] | null;
    readonly dependencies: readonly string[];
    readonly hash: string;
    readonly environmentVariables: { readonly configured: readonly string[] };
  }[];
}

function turbo(sandbox: Sandbox, version: TurboVersion, args: readonly string[]) {
  return runProgram([turboProgram(version), ...args], {
    cwd: sandbox.root,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: sandbox.home,
      APP_NAME: "x",
      APP_KEY: "y",
      TURBO_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
      TURBO_GLOBAL_WARNING_DISABLED: "1",
    },
  });
}

async function dryRun(sandbox: Sandbox, version: TurboVersion): Promise<DryRun["tasks"]> {
  const { code, output } = await turbo(sandbox, version, ["run", "build", "--dry=json"]);
  expect(code, output).toBe(0);
  return (JSON.parse(output.slice(output.indexOf("{"))) as DryRun).tasks;
}

describe("cuenv turbo sync", () => {
  it("writes what every version of turbo reads as env.cue says it, and is in step then", async () => {
    const sandbox = workspace();
    const first = await sandbox.cuenv(["turbo", "sync"], { cwd: "packages/app" });
    expect(first, first.stderr).toMatchObject({
      code: 0,
      stdout: "Wrote turbo.json (build, gen), packages/lib/turbo.json (build)\n",
      stderr: "",
    });
    // What dependencies make is no input, though a glob of turbo's would match it.
    sandbox.write("packages/lib/src/gen/made.txt", "made");
    sandbox.write("packages/app/src/note.md", "left out");
    for (const version of Object.keys(turboVersions) as TurboVersion[]) {
      const tasks = new Map((await dryRun(sandbox, version)).map((task) => [task.taskId, task]));
      const of = (id: string) => {
        const { command, inputs, outputs, dependencies } = tasks.get(id) ?? {};
        return { command, inputs: Object.keys(inputs ?? {}), outputs, dependencies };
      };
      expect(of("lib#build"), version).toEqual({
        command: "cuenv task build --only",
        inputs: ["env.cue", "package.json", "src/in.txt", "turbo.json"],
        outputs: ["dist"],
        dependencies: ["lib#gen"],
      });
      expect(of("app#build"), version).toEqual({
        command: "cuenv task build --only",
        inputs: ["env.cue", "package.json", "src/in.txt"],
        outputs: ["dist"],
        dependencies: ["lib#build"],
      });
      const { configured } = tasks.get("app#build")?.environmentVariables ?? {};
      expect(configured?.map((each) => each.split("=")[0])).toEqual(["APP_NAME"]);
    }
    // From a package with a turbo.json of its own, too, which is not the root's.
    for (const cwd of ["", "packages/lib"])
      expect(await sandbox.cuenv(["turbo", "sync", "--check"], { cwd })).toMatchObject({
        code: 0,
        stdout: "turbo.json is in step with env.cue.\n",
      });
  });

  it("--check says what is not in step, exits with 1 and writes nothing, until sync does", async () => {
    const sandbox = workspace();
    const text = '{\n  // ours\n  "tasks": {\n    "lint": {"cache": false}\n  }\n}\n';
    sandbox.write("turbo.json", text);
    const check = await sandbox.cuenv(["turbo", "sync", "--check"]);
    expect(check.code).toBe(1);
    expect(check.stdout).toContain('+    "build": {\n+      // cuenv turbo sync: from env.cue\n');
    expect(check.stdout).toContain("Not in step with env.cue: turbo.json (build, gen), packages/");
    const dry = await sandbox.cuenv(["turbo", "sync", "--dry-run"]);
    expect(dry).toMatchObject({ code: 0, stdout: check.stdout });
    expect(sandbox.read("turbo.json")).toBe(text);
    expect(sandbox.exists("packages/lib/turbo.json")).toBe(false);
    await sandbox.cuenv(["turbo", "sync"]);
    expect(sandbox.read("turbo.json")).toContain(
      '// ours\n  "tasks": {\n    "lint": {"cache": false},',
    );
    sandbox.write(
      "packages/lib/env.cue",
      sandbox.read("packages/lib/env.cue").replaceAll("gen", "make"),
    );
    const drifted = await sandbox.cuenv(["turbo", "sync", "--check"]);
    expect(drifted.code).toBe(1);
    expect(drifted.stdout).toMatch(/^-    "gen": \{$/m);
    expect(drifted.stderr).toMatch(
      /warning: \S*packages\/lib\/package\.json: make: there is no such/,
    );
    expect(drifted.stderr).toContain('"make": "cuenv task make --only"');
  });

  it("--scripts adds the scripts that turbo needs, which then run; with --check it is held to them", async () => {
    const sandbox = workspace();
    sandbox.write("packages/lib/package.json", manifest("lib", "build"));
    await sandbox.cuenv(["turbo", "sync"]);
    const before = sandbox.read("packages/lib/package.json");
    const without = await dryRun(sandbox, "2.11.11");
    expect(without.find(({ taskId }) => taskId === "lib#gen")?.command).toBe("<NONEXISTENT>");
    const told = await sandbox.cuenv(["turbo", "sync", "--check"]);
    expect(told.code).toBe(0);
    expect(told.stderr).toContain(
      '"gen": "cuenv task gen --only", which cuenv turbo sync --scripts',
    );
    const check = await sandbox.cuenv(["turbo", "sync", "--check", "--scripts"]);
    expect(check.code).toBe(1);
    expect(check.stdout).toContain("Not in step with env.cue: packages/lib/package.json (gen)");
    expect(sandbox.read("packages/lib/package.json")).toBe(before);
    expect(await sandbox.cuenv(["turbo", "sync", "--scripts"])).toMatchObject({
      code: 0,
      stdout: "Wrote packages/lib/package.json (gen)\n",
      stderr: "",
    });
    const tasks = await dryRun(sandbox, "2.11.11");
    expect(tasks.find(({ taskId }) => taskId === "lib#gen")?.command).toBe("cuenv task gen --only");
    expect(await sandbox.cuenv(["turbo", "sync", "--check", "--scripts"])).toMatchObject({
      code: 0,
      stderr: "",
    });
  });

  it("names what is a glob to turbo and a name to cuenv so that every version finds it, and keeps it", async () => {
    const copy = "rm -rf dist; cp -r src dist";
    const below = "(shop)/[id]/lib/a,b.txt";
    const project = (name: string, input: string, output: string) => ({
      // Run by itself: cuenv is not installed here.
      [`packages/${name}/package.json`]: json({ name, version: "1.0.0", scripts: { build: copy } }),
      [`packages/${name}/env.cue`]: cue({
        tasks: { build: { command: copy, inputs: [input], outputs: [output] } },
      }),
    });
    const names = ["group", "route", "file", "behind"];
    const sandbox = createSandbox({
      "package.json": json({
        private: true,
        packageManager: "npm@11.0.0",
        workspaces: ["packages/*"],
      }),
      "package-lock.json": json({ name: "root", lockfileVersion: 3, packages: {} }),
      ".gitignore": "node_modules\n.turbo\ndist\n",
      ...project("group", "src/(shop)", "dist/(shop)"),
      ...project("route", "src/*/[id]", "dist/(shop)/[id]"),
      ...project("file", "src/(shop)/*/*/a,b.txt", `dist/${below}`),
      ...project("behind", "src/*/*/lib", "dist/**/lib"),
    });
    expect(await sandbox.cuenv(["turbo", "sync"])).toMatchObject({ code: 0, stderr: "" });
    for (const version of Object.keys(turboVersions) as TurboVersion[]) {
      sandbox.remove(".turbo");
      for (const content of ["1", "2", "1"]) {
        for (const name of names) {
          sandbox.write(`packages/${name}/src/${below}`, content);
          sandbox.remove(`packages/${name}/dist`);
        }
        const { code, output } = await turbo(sandbox, version, ["run", "build"]);
        expect(code, output).toBe(0);
        const built = names.map((name) => sandbox.read(`packages/${name}/dist/${below}`));
        expect(built, version).toEqual(names.map(() => content));
      }
      expect((await turbo(sandbox, version, ["run", "build"])).output).toContain("FULL TURBO");
    }
  });

  it("says where an env.cue is wrong, and that there is none", async () => {
    const sandbox = workspace();
    sandbox.write("packages/lib/env.cue", 'tasks: build: {comand: "x"}');
    const wrong = await sandbox.cuenv(["turbo", "sync"]);
    expect(wrong).toMatchObject({ code: 3, stdout: "" });
    expect(wrong.stderr).toContain("packages/lib/env.cue:1:");
    const none = createSandbox({ "package.json": "{}" });
    expect(await none.cuenv(["turbo", "sync"])).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("PROJECT_NOT_FOUND"),
    });
  });
});
