import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { command, project } from "../../test/inspected.ts";
import type { Target } from "../nx-api.ts";
import type { PluginOptions } from "../plugin-options.ts";
import { failingProject } from "./failing-project.ts";
import type { InspectedProject, InspectedTask } from "./inspection.ts";
import { projectNodes, type Workspace } from "./project-nodes.ts";
import { writtenTargets } from "./written-targets.ts";

const workspace: Workspace = {
  root: "/ws",
  options: {},
  nxJson: {},
  knowsIncludeIgnored: true,
  knowsRest: true,
  hasNested: () => false,
  isNamed: () => false,
  writtenIn: () => ({ name: undefined, of: () => [] }),
};

function targets(
  tasks: readonly InspectedTask[],
  options: PluginOptions = {},
  more: Partial<Workspace> = {},
  fields: Partial<InspectedProject> = {},
): Readonly<Record<string, Target>> {
  return projectNodes({ ...workspace, options, ...more }, project(tasks, fields)).targets;
}

const none = { externalDependencies: [] };
const gen = command("gen", { inputs: ["schema"], outputs: ["gen"] });
const lint = command("lint", { inputs: ["rules.json"], runtime: ["eslint --version"] });

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
    ["a dependency with a secret", { commands: ["secretive"] }],
    ["an output whose name Nx takes for a glob", { outputs: ["dist/(shop)"] }],
    ["a dependency with such an output", { commands: ["routes"] }],
  ])("is cuenv with %s, and it says so", (_, fields) => {
    const others = [
      command("loose", { cache: "off" }),
      command("routes", { outputs: [".next/[slug]"] }),
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

describe("targetDefaults of nx.json", () => {
  const build = command("build", { commands: ["gen"], runtime: ["node --version"] });
  const inferred = (targetDefaults: unknown, options: PluginOptions = {}) =>
    targets([gen, build], options, { nxJson: { targetDefaults } })["build"];
  const refusal = (targetDefaults: unknown, options: PluginOptions = {}) =>
    inferred(targetDefaults, options)?.metadata.description;

  it("that take a dependency or an input away that env.cue declares make a target that fails and says so", () => {
    expect(refusal({ build: { dependsOn: ["^build"] } })).toContain(
      'targetDefaults["build"] takes the place of what env.cue says, and leaves out the task gen',
    );
    expect(refusal({ "b*": { inputs: ["default"] } })).toContain('{"runtime":"node --version"}');
    expect(refusal({ "nx:run-commands": [{ dependsOn: [] }] })).toContain("the task gen");
    const { options, cache } = inferred({ build: { dependsOn: [] } }) ?? {};
    expect(cache).toBe(false);
    expect(options).toMatchObject({
      command: "cuenv-nx refuse",
      env: { CUENV_NX_REFUSAL: expect.stringMatching(/^nx\.json: targetDefaults/) as string },
    });
  });

  it("that take an output away do so, since a hit would not put it back: a folder stands for what is in it", () => {
    const made = command("build", { outputs: ["out/js", "!out/js/tmp", "//dist/app"] });
    const wrong = (outputs: readonly string[], knowsRest = true) =>
      targets([made], {}, { nxJson: { targetDefaults: { build: { outputs } } }, knowsRest })[
        "build"
      ]?.metadata.description;
    const rest = "!{projectRoot}/out/js/tmp";
    expect(wrong(["{projectRoot}/dist", "{workspaceRoot}/dist", rest])).toContain(
      "leaves out the output {projectRoot}/out/js. Add",
    );
    expect(wrong(["{projectRoot}/out", rest])).toContain("the output {workspaceRoot}/dist/app");
    expect(wrong(["{projectRoot}/out", "{workspaceRoot}/dist"])).toContain(`the output ${rest}`);
    expect(wrong(["{projectRoot}/out/j", "{workspaceRoot}/dist", rest])).toContain("out/js");
    expect(wrong(["...", "{projectRoot}/more"])).toBeUndefined();
    expect(wrong(["...", "{projectRoot}/more"], false)).toContain("the output");
    for (const app of ["packages/app/out", "{workspaceRoot}/packages/app/out/js/", "{projectRoot}"])
      expect(wrong([app, rest, "{workspaceRoot}/dist/{projectName}/**/*"]), app).toBeUndefined();
  });

  it("that set variables in the options take the definition out of Nx' hash: they make a target that fails", () => {
    const env = { NODE_ENV: "production" };
    expect(refusal({ build: { options: { env } } })).toMatch(
      /targetDefaults\["build"\] has an "env" in its options.*\(CUENV_TASK_DEFINITION\)/,
    );
    const inProduction = (fields: unknown, tasks = [gen, build], options: PluginOptions = {}) => {
      const environments = [{ name: "production", definitions: {} }];
      const nxJson = { targetDefaults: { build: fields } };
      const found = targets(tasks, options, { nxJson }, { environments })["build"];
      return found?.metadata.description;
    };
    const configurations = { production: { env } };
    expect(inProduction({ configurations })).toContain("(CUENV_TASK_DEFINITION, CUENV_ENV)");
    // A result that Nx does not keep has no hash.
    const deploy = [command("build", { cache: "off" })];
    expect(inProduction({ options: { env } }, deploy)).toBeUndefined();
    expect(inProduction({ configurations }, deploy)).toContain("(CUENV_ENV)");
    for (const fine of [{ options: { color: true } }, { configurations: { other: { env } } }])
      expect(inProduction(fine), JSON.stringify(fine)).toBeUndefined();
  });

  it('with "..." take everything away before Nx 23, which does not know it', () => {
    for (const fields of [{ dependsOn: ["...", "^build"] }, { inputs: ["...", "default"] }]) {
      const nxJson = { targetDefaults: { build: fields } };
      const found = (knowsRest: boolean) =>
        targets([gen, build], {}, { nxJson, knowsRest })["build"]?.metadata.description;
      expect(found(true)).toBeUndefined();
      expect(found(false)).toContain("takes the place of what env.cue says");
    }
  });

  it("that have Nx keep what is cuenv's to keep do so, too", () => {
    expect(refusal({ build: { cache: true } }, { mode: "cuenv" })).toContain('has "cache": true');
    expect(refusal({ build: { cache: true } })).toBeUndefined();
    const nxJson = { targetDefaults: { build: { cache: true } } };
    const routes = command("build", { outputs: ["(shop)"] });
    const refused = targets([routes], {}, { nxJson })["build"]?.metadata.description;
    expect(refused).toContain("Nx takes the output (shop)");
    expect(refused).toContain('Say "cache": false of this target in the project\'s project.json');
  });

  it("that have Nx keep what its caller's cache mode alone takes away leave it to Nx, as without that mode", () => {
    const narrowed = (cache: "off" | "read" | "write", fields = {}) => {
      const mode = { cache, declaredCache: "read-write" } as const;
      const lintNow = { ...lint, ...mode };
      const now = command("build", { commands: ["lint"], outputs: ["dist"], ...mode, ...fields });
      return (targetDefaults: unknown) =>
        targets([lintNow, now], {}, { nxJson: { targetDefaults } })["build"];
    };
    const plain = command("build", { commands: ["lint"], outputs: ["dist"] });
    const usual = targets([lint, plain])["build"];
    for (const mode of ["off", "read", "write"] as const) {
      expect(narrowed(mode)({ build: { cache: true } }), mode).toEqual(usual);
      expect(narrowed(mode)({ build: { cache: false } })?.cache, mode).toBe(false);
      expect(narrowed(mode)(undefined)?.cache, mode).toBe(false);
      const own = narrowed(mode, { declaredCache: mode })({ build: { cache: true } });
      expect(own?.metadata.description, mode).toContain('has "cache": true');
    }
  });

  it("and what project.json writes make a target continuous, which nobody caches then", () => {
    const dev = (nxJson: Workspace["nxJson"], fields = {}, options: PluginOptions = {}) => {
      const writtenIn = () => ({ name: "app", of: () => [{ place: "project.json", fields }] });
      return targets([command("dev")], options, { nxJson, writtenIn })["dev"];
    };
    const continuous = { targetDefaults: { dev: { continuous: true } } };
    const line = { command: "cuenv-nx task dev --only --uncached --" };
    for (const mode of ["nx-native", "cuenv"] as const) {
      const never = { continuous: true, cache: false, options: line };
      expect(dev(continuous, {}, { mode }), mode).toMatchObject(never);
      expect(dev({}, { continuous: true }, { mode }), mode).toMatchObject(never);
      expect(dev(continuous, { continuous: false }, { mode })?.continuous).toBeUndefined();
    }
  });

  it("and what project.json and package.json write are looked at alike", () => {
    const root = mkdtempSync(join(tmpdir(), "nx-written-"));
    let nxJson: Workspace["nxJson"] = {};
    const wrong = (fields: unknown, options: PluginOptions = {}, file = "project.json") => {
      const said = { name: "named", targets: { build: fields } };
      const text = JSON.stringify(file === "project.json" ? said : { nx: said });
      rmSync(join(root, "packages"), { recursive: true, force: true });
      mkdirSync(join(root, "packages/app"), { recursive: true });
      writeFileSync(join(root, "packages/app", file), `// a comment\n${text}`);
      const writtenIn = (folder: string) => writtenTargets(root, folder);
      return targets([gen, build], options, { writtenIn, nxJson })["build"]?.metadata.description;
    };
    expect(wrong({ dependsOn: ["^build"] })).toMatch(
      /^packages\/app\/project\.json: targets\["build"\] takes the place .* leaves out the task gen/,
    );
    for (const others of ["^gen", "lib:gen", { target: "gen", projects: "lib" }])
      expect(wrong({ dependsOn: [others] }), JSON.stringify(others)).toContain("the task gen");
    expect(wrong({ dependsOn: [{ target: "gen", dependencies: true }] })).toContain("the task gen");
    expect(wrong({ inputs: [] }, {}, "package.json")).toContain(
      'package.json: nx.targets["build"]',
    );
    expect(wrong({ cache: true }, { mode: "cuenv" })).toContain('has "cache": true');
    // They win over the defaults, too.
    nxJson = { targetDefaults: { build: { dependsOn: ["^build"], cache: true } } };
    expect(wrong({})).toContain("nx.json");
    expect(wrong({ dependsOn: ["...", "^test"] })).toContain("nx.json");
    expect(wrong({ dependsOn: ["gen", "^build"] })).toBeUndefined();
    nxJson = {};
    for (const fine of [
      { dependsOn: ["...", "^build"] },
      { dependsOn: ["g*"] },
      { dependsOn: ["named:gen"] },
      { dependsOn: [{ target: "gen", projects: ["self"] }] },
      { dependsOn: [{ target: "gen", params: "forward" }] },
      { dependsOn: [], command: "a program of its own" },
      { dependsOn: [], executor: "@nx/vite:build" },
      { cache: false },
      "nonsense",
    ])
      expect(wrong(fine), JSON.stringify(fine)).toBeUndefined();
    rmSync(root, { recursive: true });
  });

  it("that add something are as they are", () => {
    for (const fine of [
      { build: { dependsOn: ["^build", "..."], inputs: ["...", "^production"] } },
      { build: { dependsOn: ["^build", "gen"] } },
      { other: { dependsOn: [] } },
      { build: [{ filter: { plugin: "@nx/vite" }, dependsOn: [] }] },
      undefined,
    ])
      expect(refusal(fine), JSON.stringify(fine)).toBeUndefined();
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
