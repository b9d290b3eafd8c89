import { lstatSync, symlinkSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runJson } from "./run-json.ts";
import { createSandbox, type Sandbox } from "./sandbox.ts";

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

interface Report {
  readonly version: number;
  readonly written: boolean;
  readonly tasks: readonly { readonly name: string; readonly cached: boolean }[];
  readonly notes: readonly { readonly task: string | null; readonly message: string }[];
}

async function init(sandbox: Sandbox, cwd = ""): Promise<Report> {
  const run = await sandbox.cuenv(["init", "--json"], { cwd });
  expect(run.code, run.stdout).toBe(0);
  return JSON.parse(run.stdout) as Report;
}

async function statusOf(
  sandbox: Sandbox,
  task: string,
  cwd: string,
): Promise<Readonly<Record<string, string>>> {
  const { code, stderr, tasks } = await runJson(sandbox, [task], { cwd });
  expect(code, stderr).toBe(0);
  return Object.fromEntries(Object.values(tasks).map(({ name, cache }) => [name, cache.status]));
}

const plain = {
  "package.json": json({
    name: "plain",
    scripts: {
      build: 'mkdir -p dist && echo "\\(it\'s) ${HOME:+set} `echo built`" > dist/out',
      "test:unit": "grep -q built dist/out && grep -Fq '\\(it' dist/out",
      prepare: "exit 1",
    },
  }),
};

describe("cuenv init", () => {
  it("makes tasks of a plain package's scripts that do what the scripts do", async () => {
    const sandbox = createSandbox(plain);
    expect(await init(sandbox)).toMatchObject({
      version: 1,
      written: true,
      tasks: [
        { name: "build", cached: false },
        { name: "test:unit", cached: false },
      ],
    });
    expect(await statusOf(sandbox, "build", "")).toEqual({ build: "off" });
    expect(await statusOf(sandbox, "test:unit", "")).toEqual({ "test:unit": "off" });
    expect(sandbox.read("dist/out")).toBe("\\(it's) set built\n");
  });

  it("makes cached tasks of a Turborepo package: a change in a package that it uses is a miss", async () => {
    const sandbox = createSandbox({
      "package.json": json({ private: true, workspaces: ["packages/*"] }),
      "package-lock.json": json({}),
      ".gitignore": "dist\n",
      "turbo.json": `// turbo\n${json({
        globalEnv: ["FLAVOUR"],
        tasks: {
          build: { dependsOn: ["^build"], outputs: ["dist/**"] },
          test: { dependsOn: ["build"], inputs: ["$TURBO_DEFAULT$", "!**/*.md"] },
        },
      })}`,
      "packages/lib/package.json": json({ name: "lib" }),
      "packages/lib/lib.txt": "1",
      "packages/app/package.json": json({
        name: "app",
        dependencies: { lib: "*" },
        scripts: {
          build: "mkdir -p dist && cat ../lib/lib.txt > dist/all",
          test: "test -s dist/all",
        },
      }),
    });
    const app = "packages/app";
    const { notes } = await init(sandbox, app);
    expect(notes.map(({ task }) => task)).toEqual(["build"]);
    expect(await statusOf(sandbox, "test", app)).toEqual({ build: "miss", test: "miss" });
    sandbox.remove("packages/app/dist");
    expect(await statusOf(sandbox, "test", app)).toEqual({ build: "hit", test: "hit" });
    sandbox.write("packages/app/notes.md", "x");
    // The same output, and notes.md is no input of it.
    expect(await statusOf(sandbox, "test", app)).toEqual({ build: "miss", test: "hit" });
    sandbox.write("packages/lib/lib.txt", "2");
    expect(await statusOf(sandbox, "test", app)).toEqual({ build: "miss", test: "miss" });
    expect(sandbox.read("packages/app/dist/all")).toBe("2");
  });

  it.each(["turbo", "nx"])(
    "counts what other packages built, though git ignores it: %s",
    async (tool) => {
      const sandbox = createSandbox({
        "package.json": json({ private: true, workspaces: ["packages/*"] }),
        ".gitignore": "dist\n",
        ...(tool === "turbo"
          ? {
              "turbo.json": json({
                tasks: { build: { dependsOn: ["^build"], outputs: ["dist/**"] } },
              }),
            }
          : {
              "nx.json": json({
                targetDefaults: {
                  build: { cache: true, dependsOn: ["^build"], outputs: ["{projectRoot}/dist"] },
                },
              }),
            }),
        "packages/lib/package.json": json({ name: "lib", scripts: { build: "true" } }),
        "packages/lib/src/lib.txt": "new",
        // From before the edit.
        "packages/lib/dist/lib.txt": "old",
        "packages/app/package.json": json({
          name: "app",
          dependencies: { lib: "*" },
          scripts: { build: "mkdir -p dist && cp ../lib/dist/lib.txt dist/" },
        }),
      });
      const app = "packages/app";
      await init(sandbox, app);
      expect(await statusOf(sandbox, "build", app)).toEqual({ build: "miss" });
      sandbox.write("packages/lib/dist/lib.txt", "new");
      expect(await statusOf(sandbox, "build", app)).toEqual({ build: "miss" });
      expect(sandbox.read("packages/app/dist/lib.txt")).toBe("new");
    },
  );

  it("makes tasks of an Nx project that run where Nx runs them", async () => {
    const sandbox = createSandbox({
      "package.json": json({ private: true }),
      "nx.json": json({
        namedInputs: { default: ["{projectRoot}/**/*"] },
        targetDefaults: { build: { cache: true, outputs: ["{workspaceRoot}/dist/{projectRoot}"] } },
      }),
      "libs/ui/project.json": json({
        name: "ui",
        targets: {
          build: {
            command: "mkdir -p dist/{projectRoot} && cp {projectRoot}/src/* dist/{projectRoot}/",
          },
          check: {
            executor: "nx:run-commands",
            options: {
              commands: ["test -s ../../dist/libs/ui/a", "test -d src"],
              cwd: "{projectRoot}",
            },
            dependsOn: ["build"],
          },
          all: { executor: "nx:noop", dependsOn: ["check"] },
        },
      }),
      "libs/ui/src/a": "a",
    });
    await init(sandbox, "libs/ui");
    expect(await statusOf(sandbox, "check", "libs/ui")).toEqual({ build: "miss", check: "off" });
    sandbox.remove("dist");
    expect(await statusOf(sandbox, "check", "libs/ui")).toEqual({ build: "hit", check: "off" });
    expect(sandbox.read("dist/libs/ui/a")).toBe("a");
    expect((await sandbox.cuenv(["task", "all"], { cwd: "libs/ui" })).code).toBe(0);
  });

  it("never writes over a file or through a link, and --print writes nothing", async () => {
    const sandbox = createSandbox({ ...plain, "env.cue": "// mine\n" });
    const refused = await sandbox.cuenv(["init"]);
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toMatch(/it is there already/);
    expect(sandbox.read("env.cue")).toBe("// mine\n");
    sandbox.remove("env.cue");
    symlinkSync(sandbox.path("elsewhere"), sandbox.path("env.cue"));
    expect((await sandbox.cuenv(["init"])).code).toBe(3);
    expect(lstatSync(sandbox.path("env.cue")).isSymbolicLink()).toBe(true);
    expect(sandbox.exists("elsewhere")).toBe(false);
    sandbox.remove("env.cue");
    const printed = await sandbox.cuenv(["init", "--print"]);
    expect(printed.code).toBe(0);
    expect(printed.stdout).toMatch(/^\/\/ Made by cuenv init .*\n(?:\/\/.*\n)*package cuenv\n/);
    expect(printed.stderr).toMatch(/left out: prepare/);
    expect(sandbox.exists("env.cue")).toBe(false);
  });

  it("says what is missing or wrong, with the exit code of the configuration", async () => {
    const none = await createSandbox({}).cuenv(["init"]);
    expect(none).toMatchObject({ code: 3, stdout: "" });
    expect(none.stderr).toMatch(/\[INIT_NOTHING_FOUND\]/);
    const wrong = await createSandbox({ "package.json": "{" }).cuenv(["init"]);
    expect(wrong.stderr).toMatch(/package\.json.*\[CONFIG_FILE\]/);
    expect((await createSandbox(plain).cuenv(["init", "--from", "make"])).code).toBe(2);
    expect((await createSandbox(plain).cuenv(["init", "name"])).code).toBe(2);
  });
});
