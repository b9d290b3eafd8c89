import { describe, expect, it } from "vitest";
import { gen, lint, targets, workspace } from "../../test/inferred.ts";
import { command, project } from "../../test/inspected.ts";
import { failingProject } from "./failing-project.ts";
import type { InspectedProject } from "./inspection.ts";
import { projectNodes, type Workspace } from "./project-nodes.ts";

const none = { externalDependencies: [] };

describe("a target", () => {
  it("is cached by Nx with what the task declares, and runs the task alone", () => {
    const build = command("build", {
      inputs: ["src/**", "!**/*.md"],
      outputs: ["dist", "!dist/tmp/"],
      environment: { host: ["HOSTED"], secrets: [], include: ["CI_URL"], exclude: [] },
      runtime: ["node --version"],
      description: "Builds it",
    });
    expect(targets([build])["build"]).toEqual({
      executor: "nx:run-commands",
      options: {
        command: "cuenv-nx task build --only --uncached --",
        cwd: "packages/app",
        env: { CUENV_TASK_DEFINITION: "definition of build" },
      },
      cache: true,
      inputs: [
        "{projectRoot}/src/**/*",
        "!{projectRoot}/**/*.md",
        { env: "HOSTED" },
        { env: "CI_URL" },
        { runtime: "node --version" },
        none,
      ],
      outputs: ["{projectRoot}/dist", "!{projectRoot}/dist/tmp"],
      metadata: { technologies: ["cuenv"], description: "Builds it" },
    });
  });

  it("depends on what its dependencies make, and on all that those count with that make nothing", () => {
    const test = command("test", { inputs: [], commands: ["gen", "lint"] });
    const { inputs, dependsOn } = targets([gen, lint, test])["test"] ?? {};
    expect(dependsOn).toEqual(["gen", "lint"]);
    expect(inputs).toEqual([
      "{projectRoot}/rules.json",
      "{projectRoot}/rules.json/**/*",
      expect.objectContaining({ runtime: expect.stringContaining("eslint") as string }),
      { dependentTasksOutputFiles: "**/*", transitive: false },
      none,
    ]);
  });

  it("never has its own outputs, or those of its dependencies, among its files", () => {
    const build = command("build", { inputs: null, outputs: ["out"], commands: ["gen"] });
    expect(targets([gen, build])["build"]?.inputs).toEqual([
      "{projectRoot}/**/*",
      "!{projectRoot}/out",
      "!{projectRoot}/out/**/*",
      "!{projectRoot}/gen",
      "!{projectRoot}/gen/**/*",
      { dependentTasksOutputFiles: "**/*", transitive: false },
      none,
    ]);
  });

  it("hashes files that git ignores when they are named, but for what a dependency makes", () => {
    const build = command("build", {
      inputs: ["vendor/x", "gen/api.ts"],
      ignoredInputs: ["vendor/x", "gen/api.ts"],
      commands: ["gen"],
    });
    const ignored = (targets([gen, build])["build"]?.inputs ?? []).filter(
      (input) => typeof input === "object" && "fileset" in input,
    );
    expect(ignored[0]).toEqual({ fileset: "{projectRoot}/vendor/x", includeIgnored: true });
    expect(JSON.stringify(ignored)).not.toContain("gen");
  });

  it("has a name that Nx takes for no glob, and is named by it in dependsOn", () => {
    const steps = {
      kind: "sequence",
      name: "deploy",
      description: null,
      dependencies: ["test:unit"],
      members: ["deploy[0]", "deploy[1]"],
      free: true,
    } as const;
    const found = targets([
      steps,
      command("deploy[0]"),
      command("deploy[1]", { commands: ["deploy[0]"] }),
      command("test:unit"),
    ]);
    expect(found["deploy"]).toMatchObject({
      executor: "nx:noop",
      dependsOn: [{ target: "test:unit" }, "deploy.0", "deploy.1"],
    });
    expect(found["deploy.1"]?.options?.["command"]).toBe(
      "cuenv-nx task 'deploy[1]' --only --uncached --",
    );
  });

  it("is one run of cuenv where a group says more than its members do", () => {
    const bounded = {
      kind: "group",
      name: "all",
      description: null,
      dependencies: [],
      members: ["gen", "lint"],
      free: false,
    } as const;
    const after = command("after", { dependencies: ["all"], commands: ["gen", "lint"] });
    const found = targets([gen, lint, bounded, after]);
    expect(found["all"]?.options?.["command"]).toBe("cuenv-nx task all --");
    expect(found["after"]?.dependsOn).toEqual(["all"]);
  });

  it("has a configuration for each environment of env.cue", () => {
    const environments = [{ name: "prod", definitions: { build: "another definition" } }];
    const [build] = Object.values(targets([command("build")], {}, {}, { environments }));
    expect(build?.configurations).toEqual({
      prod: { env: { CUENV_TASK_DEFINITION: "another definition", CUENV_ENV: "prod" } },
    });
  });

  it("is continuous and not cached where the options say so", () => {
    const dev = targets([command("dev:web")], { continuous: ["dev:*"] })["dev:web"];
    expect(dev).toMatchObject({ continuous: true, cache: false });
    expect(dev?.inputs).toBeUndefined();
  });
});

describe("who keeps the result", () => {
  const cuenv = { cache: false, options: { command: "cuenv-nx task build --only --" } };
  it.each([
    ["a maxAge", { maxAgeMs: 1 }],
    ["a mode of its own", { cache: "read" as const }],
    ["a secret", { environment: { host: [], secrets: ["T"], include: [], exclude: [] } }],
    ["an input outside of Nx' workspace", { inputs: ["//../x"] }],
    ["a dependency that is not cached and makes nothing", { commands: ["loose"] }],
    ["such a one behind a dependency that makes nothing", { commands: ["behind"] }],
    ["a dependency with a secret", { commands: ["secretive"] }],
    ["an output whose name Nx takes for a glob", { outputs: ["dist/(shop)"] }],
    ["a dependency with such an output", { commands: ["routes"] }],
  ])("is cuenv with %s, and it says so", (_, fields) => {
    const others = [
      command("loose", { cache: "off" }),
      command("routes", { outputs: [".next/[slug]"] }),
      command("behind", { outputs: [], commands: ["loose"] }),
      command("secretive", {
        environment: { host: [], secrets: ["T"], include: [], exclude: [] },
      }),
    ];
    const root = "inputs" in fields ? { workspaceRoot: "/elsewhere" } : {};
    const { build } = targets([command("build", fields), ...others], {}, {}, root);
    expect(build).toMatchObject(cuenv);
    expect(build?.metadata.description).toMatch(/^Cached by cuenv: /);
  });

  it("is cuenv in a folder whose name Nx takes for a glob", () => {
    const fields = { directory: "/ws/apps/(shop)" };
    const { build } = targets([command("build", { outputs: ["dist"] })], {}, {}, fields);
    expect(build).toMatchObject(cuenv);
    expect(build?.metadata.description).toContain("apps/(shop)");
  });

  it("is cuenv for ignored inputs before Nx 23", () => {
    const build = command("build", { inputs: ["x"], ignoredInputs: ["x"] });
    expect(targets([build])["build"]?.cache).toBe(true);
    expect(targets([build], {}, { knowsIncludeIgnored: false })["build"]).toMatchObject(cuenv);
  });

  it("is whom the options name", () => {
    const tasks = [command("build"), command("test:unit")];
    const found = targets(tasks, { mode: "cuenv", modes: { "test:*": "nx-native" } });
    expect([found["build"]?.cache, found["test:unit"]?.cache]).toEqual([false, true]);
    expect(found["build"]?.metadata.description).toBeUndefined();
  });

  it("is nobody for what is not cached; and what uses another's output is run with it", () => {
    const found = targets([
      command("deploy", { cache: "off" }),
      command("says", { printedBy: ["deploy"], commands: ["deploy"] }),
    ]);
    expect(found["deploy"]?.cache).toBe(false);
    expect(found["says"]).toMatchObject({
      cache: false,
      options: { command: "cuenv-nx task says --" },
    });
    expect(found["says"]?.dependsOn).toBeUndefined();
  });
});

describe("two tasks that would be one target", () => {
  const tasks = ["a[0]", "a.0", "other"].map((name) => command(name));

  it("are one that fails and says so; the others are as they are", () => {
    const found = targets(tasks);
    expect(Object.keys(found)).toEqual(["a.0", "other"]);
    expect(found["a.0"]?.options?.["command"]).toContain("cuenv-nx refuse");
    expect(found["a.0"]?.metadata.description).toContain("another task is the target a.0 already");
    expect(found["other"]?.options?.["command"]).toContain("cuenv-nx task other");
  });

  it("are an error of the plugin, where errors are", () => {
    expect(() => targets(tasks, { onError: "fail" })).toThrow("another task is the target a.0");
  });
});

describe("a project", () => {
  it("has the name of package.json or project.json, else that of env.cue, else its folder's", () => {
    const name = (fields: Partial<InspectedProject>, more: Partial<Workspace> = {}) =>
      projectNodes({ ...workspace, ...more }, project([], fields)).name;
    expect(name({})).toBe("app");
    expect(name({ name: "mine" })).toBe("mine");
    expect(name({}, { isNamed: () => true })).toBeUndefined();
    expect(name({ directory: "/ws" })).toBe("ws");
  });

  it("that is wrong has targets that fail: those it writes, and those that others have", () => {
    const error = {
      code: "CUE_INVALID",
      message: "cannot use it",
      hint: null,
      file: "/ws/packages/app/env.cue",
      line: 3,
      column: 7,
    };
    const wrong = { ...project([], { error, writtenTasks: ["e2e[0]"] }), error };
    const nodes = failingProject(workspace, wrong, new Set(["build"]));
    expect(Object.keys(nodes.targets)).toEqual(["e2e.0", "build"]);
    expect(nodes.targets["build"]).toMatchObject({
      // It does nothing: it must not be a success, though the file was mended meanwhile.
      options: {
        command: "cuenv-nx refuse",
        env: { CUENV_NX_REFUSAL: "packages/app/env.cue:3:7: cannot use it [CUE_INVALID]" },
      },
      cache: false,
      metadata: { description: "packages/app/env.cue:3:7: cannot use it [CUE_INVALID]" },
    });
  });
});
