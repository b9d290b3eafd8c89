import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gen, lint, targets } from "../../test/inferred.ts";
import { command } from "../../test/inspected.ts";
import type { PluginOptions } from "../plugin-options.ts";
import type { Workspace } from "./project-nodes.ts";
import { writtenTargets } from "./written-targets.ts";

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
