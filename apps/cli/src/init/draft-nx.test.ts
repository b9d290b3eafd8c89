import { describe, expect, it } from "vitest";
import { draft, notesOf, task } from "../../test/drafts.ts";
import type { Draft } from "./draft.ts";

function nx(
  targets: Readonly<Record<string, unknown>>,
  more: { readonly root?: object; readonly files?: Readonly<Record<string, unknown>> } = {},
): Draft {
  return draft(
    {
      "nx.json": more.root ?? {},
      "package.json": { name: "root" },
      "libs/ui/project.json": { name: "ui", targets },
      ...more.files,
    },
    "libs/ui",
  );
}

describe("a project of an Nx workspace", () => {
  it("runs commands at Nx's root unless told otherwise, with its tokens filled in", () => {
    const found = nx({
      short: { command: "echo {projectRoot} {projectName}" },
      own: {
        executor: "nx:run-commands",
        options: { command: "x", cwd: "{projectRoot}", args: ["--a", "b"] },
      },
      sub: { executor: "nx:run-commands", options: { command: "x", cwd: "libs/ui/src" } },
      many: { executor: "nx:run-commands", options: { commands: ["a # c", { command: "b" }] } },
    });
    expect(task(found, "short")).toMatchObject({
      command: "echo libs/ui ui",
      dir: { from: "module", path: "." },
    });
    expect(task(found, "own")).toEqual({ command: "x --a b", cache: false });
    expect(task(found, "sub")["dir"]).toEqual({ from: "module", path: "libs/ui/src" });
    expect(task(found, "many")["command"]).toBe("(\na # c\n) && (\nb\n)");
    expect(notesOf(found, "many")).toMatch(/ran at once/);
  });

  it("has inputs, outputs and order as project.json and nx.json say", () => {
    const found = nx(
      {
        build: {
          cache: true,
          command: "b",
          dependsOn: ["gen", "^build", "ui:lint", { target: "gen" }, "nowhere"],
          outputs: [
            "{projectRoot}/dist",
            "{workspaceRoot}/out/{projectName}",
            "{options.to}",
            "{options.no}",
          ],
          options: { to: "libs/ui/x" },
        },
        gen: { command: "g" },
        lint: { command: "l" },
      },
      {
        root: {
          namedInputs: {
            default: ["{projectRoot}/**/*", "shared"],
            shared: ["{workspaceRoot}/base.json", { env: "CI" }, { runtime: "node -v" }],
            production: ["default", "!{projectRoot}/**/*.spec.ts"],
          },
          targetDefaults: {
            build: { inputs: ["production", "^production", { externalDependencies: ["x"] }] },
          },
        },
      },
    );
    expect(task(found, "build")).toEqual({
      command: "b",
      dir: { from: "module", path: "." },
      dependencies: ["gen", "lint"],
      inputs: [".", "//base.json", "!**/*.spec.ts"],
      outputs: ["dist", "//out/ui", "x"],
      cache: true,
      cacheConfig: { envInclude: ["CI"], runtime: ["node -v"] },
    });
    expect(notesOf(found, "build")).toMatch(/does not wait for \^build/);
    expect(notesOf(found, "build")).toMatch(/does not wait for nowhere/);
  });

  it("calls nx for executors that are programs of Nx, and says what it cannot see", () => {
    const found = nx(
      {
        test: { executor: "@nx/vite:test", cache: true },
        all: { executor: "nx:noop", dependsOn: ["test"] },
      },
      { root: { plugins: ["@nx/eslint/plugin", { plugin: "@nx/jest" }] } },
    );
    expect(task(found, "test")["command"]).toBe("nx run ui:test");
    expect(task(found, "all")).toEqual({ type: "group", dependencies: ["test"] });
    expect(notesOf(found)).toMatch(/@nx\/eslint\/plugin, @nx\/jest/);
  });

  it("is cached only where Nx caches", () => {
    const found = nx({
      yes: { command: "x", cache: true },
      no: { command: "x", outputs: ["{projectRoot}/o"] },
      server: { command: "x", cache: true, continuous: true },
    });
    expect(found.tasks.map(({ fields }) => fields["cache"])).toEqual([true, false, false]);
  });

  it("has the scripts of package.json, of which targets say more", () => {
    const found = nx(
      { build: { cache: true, outputs: ["{projectRoot}/dist"] } },
      {
        files: {
          "libs/ui/package.json": {
            name: "@r/ui",
            scripts: { build: "tsc", dev: "vite" },
            nx: { targets: { dev: { continuous: true } } },
          },
        },
      },
    );
    expect(task(found, "build")).toMatchObject({ command: "tsc", outputs: ["dist"], cache: true });
    expect(task(found, "dev")).toEqual({ command: "vite", cache: false });
  });

  it("leaves out what has arguments of Nx in it, and options that are arguments are named", () => {
    const found = nx({
      a: { command: "echo {args.name}" },
      b: {
        executor: "nx:run-commands",
        options: { command: "x", port: 3, envFile: ".e", env: { lower: "1" } },
      },
    });
    expect(found.tasks.map(({ name }) => name)).toEqual(["b"]);
    expect(notesOf(found, "b")).toMatch(/port/);
    expect(notesOf(found, "b")).toMatch(/envFile/);
    expect(notesOf(found, "b")).toMatch(/lower/);
  });

  it("merges its default configuration, and names the others", () => {
    const found = nx({
      build: {
        executor: "nx:run-commands",
        options: { command: "dev" },
        defaultConfiguration: "prod",
        configurations: { prod: { command: "prod" }, ci: {} },
      },
    });
    expect(task(found, "build")["command"]).toBe("prod");
    expect(notesOf(found, "build")).toMatch(/not translated: ci/);
  });
});
