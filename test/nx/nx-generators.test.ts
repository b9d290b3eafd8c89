import { spawn, spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { cue } from "../e2e/sandbox.ts";
import { isFull } from "./in-full.ts";
import { installedNx, npm, nxVersions, packPackages } from "./nx-install.mjs";
import { makeNxWorkspace, type NxWorkspace, type NxWorkspaceOptions } from "./nx-workspace.ts";

let modules = "";
beforeAll(async () => {
  modules = await installedNx(24);
}, 300_000);

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

const files = {
  "packages/app/package.json": JSON.stringify({
    name: "app",
    scripts: { build: "mkdir -p dist && cp src/a dist/a && echo built", lint: "echo linted" },
  }),
  "packages/app/src/a": "1",
  "packages/lib/project.json": JSON.stringify({
    name: "lib",
    targets: {
      gen: { command: "echo generated", cache: true, inputs: ["{projectRoot}/src"], outputs: [] },
      build: {
        executor: "nx:run-commands",
        options: { command: "echo built lib", cwd: "{projectRoot}" },
        dependsOn: ["gen", "^build"],
      },
      serve: { command: "sleep 60", continuous: true },
    },
  }),
};

function make(more: Partial<NxWorkspaceOptions> = {}): NxWorkspace {
  const workspace = makeNxWorkspace({ modules, files, ...more });
  ending.push(() => workspace.stop());
  return workspace;
}

async function run(workspace: NxWorkspace, ...args: readonly string[]): Promise<string> {
  const { code, output } = await workspace.nx(args);
  expect(code, output).toBe(0);
  return output;
}

interface Shown {
  readonly targets: Readonly<
    Record<
      string,
      { readonly dependsOn?: unknown; readonly options: { readonly command?: string } }
    >
  >;
}

async function targetsOf(workspace: NxWorkspace, project: string): Promise<Shown["targets"]> {
  const { stdout } = await workspace.nx(["show", "project", project, "--json"]);
  return (JSON.parse(stdout) as Shown).targets;
}

describe("the generator configuration", () => {
  it.runIf(isFull)(
    "writes the env.cue of an existing project, and leaves what is about other projects",
    async () => {
      const workspace = make();
      const said = await run(workspace, "g", "@cuenv/nx:configuration", "lib");
      expect(said).toContain(
        "What they say that an env.cue cannot, of other projects for one, stays where it was: build, serve.",
      );
      const targets = await targetsOf(workspace, "lib");
      expect(targets["build"]?.options.command).toMatch(/^cuenv-nx task build /);
      expect(targets["build"]?.dependsOn).toEqual(["gen", "^build"]);
      expect(targets["serve"]).toMatchObject({ continuous: true, cache: false });
      const ran = await run(workspace, "run", "lib:build");
      expect(ran).toContain("generated");
      expect(ran).toContain("built lib");
      const { code, output } = await workspace.nx(["g", "@cuenv/nx:configuration", "lib"]);
      expect(code).toBe(1);
      expect(output).toContain("cannot write packages/lib/env.cue: it is there already");
      const unknown = await workspace.nx(["g", "@cuenv/nx:configuration", "none"]);
      expect(unknown.output).toContain("there is no such project, only");
    },
  );
});

describe("what Nx shows", () => {
  it.runIf(isFull)("is clean: list, report, graph, show, sync", async () => {
    const workspace = make();
    workspace.write(
      "packages/app/env.cue",
      cue({ tasks: { build: { command: "true", inputs: [] } } }),
    );
    expect(await run(workspace, "list", "@cuenv/nx")).toMatch(/task : Runs a task[^]*|init[^]*/);
    expect(await run(workspace, "report")).toContain("@cuenv/nx");
    await run(workspace, "sync:check");
    await run(workspace, "graph", "--file=graph.json");
    const { graph } = JSON.parse(workspace.read("graph.json")) as {
      graph: { nodes: Record<string, { data: { metadata: { technologies: string[] } } }> };
    };
    expect(graph.nodes["app"]?.data.metadata.technologies).toContain("cuenv");
    const help = await run(workspace, "g", "@cuenv/nx:init", "--help");
    expect(help).toContain("Registers @cuenv/nx in nx.json");
  });

  it("of an env.cue that is wrong is where and what, in targets that fail; others are as they are", async () => {
    const workspace = make();
    workspace.write("packages/lib/env.cue", 'package cuenv\n\ntasks: check: {comand: "x"}\n');
    // Nx would process no project at all if it did not find the one that another names.
    const unclosed = 'package cuenv\nname: "shop"\ntasks: {\n\tpack: {\n\t\tcommand: "x"\n';
    workspace.write("packages/other/env.cue", unclosed);
    workspace.write("packages/app/project.json", '{"implicitDependencies": ["shop"]}');
    const place = "packages/lib/env.cue:3:16: ";
    const good = await workspace.nx(["run", "app:lint"]);
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining("linted")]);
    expect(good.stderr).toContain(`  - packages/lib/env.cue:\n      ${place}`);
    const all = await workspace.nx(["run-many", "-t", "check"]);
    expect(all.code).toBe(1);
    expect(all.output).toContain("did you mean `command`?");
    const cut = await workspace.nx(["run", "shop:pack"]);
    expect(cut.code).toBe(1);
    expect(cut.stderr).toMatch(/^error: \S*env\.cue:5:/m);
    const fail = JSON.stringify({
      plugins: [{ plugin: "@cuenv/nx", options: { onError: "fail" } }],
    });
    workspace.write("nx.json", fail);
    const none = await workspace.nx(["show", "projects"]);
    expect(none.code).toBe(1);
    expect(none.output).toContain(
      "2 errors occurred while processing files for the @cuenv/nx plugin",
    );
    expect(none.output).toContain(place);
  });
});

describe("nx add", () => {
  it(
    "installs the plugin from a registry, registers it once, writes the first env.cue, and says what it did",
    { timeout: 300_000 },
    async () => {
      const workspace = make({ nxJson: { plugins: [] } });
      rmSync(join(workspace.root, "node_modules"));
      const { nx, devkit } = nxVersions[24];
      npm(workspace.root, ["install", "--save-dev", `nx@${nx}`, `@nx/devkit@${devkit}`]);
      const registry = await startRegistry(await packPackages());
      const { code, output } = await workspace.nx(["add", "@cuenv/nx"], {
        env: { npm_config_registry: registry, npm_config_audit: "false" },
      });
      expect(code, output).toBe(0);
      expect(output).toContain("Registered @cuenv/nx in nx.json");
      expect(output).toContain(
        "Wrote packages/app/env.cue, from package.json, ../../nx.json: 2 tasks",
      );
      expect(output).toContain(
        "These scripts of package.json stay, and are no targets of their own any more: build, lint.",
      );
      expect(JSON.parse(workspace.read("nx.json"))).toMatchObject({
        plugins: [{ plugin: "@cuenv/nx", options: {} }],
      });
      const { build } = await targetsOf(workspace, "app");
      expect(build?.options.command).toBe("cuenv-nx task build --only --");
      expect(await run(workspace, "run", "app:build")).toMatch(/^built$/m);
      const again = await run(workspace, "g", "@cuenv/nx:init", "--no-interactive");
      expect(again).toContain("There are env.cue files already, of app.");
      expect(JSON.parse(workspace.read("nx.json"))).toMatchObject({ plugins: { length: 1 } });
    },
  );
});

async function startRegistry(tarballs: readonly string[]): Promise<string> {
  const upstream = spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).stdout;
  const script = fileURLToPath(new URL("./registry.mjs", import.meta.url));
  const child = spawn(process.execPath, [script, upstream.trim(), ...tarballs], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: process.env["TESTS_EXTRA_CA_CERTS"] },
  });
  ending.push(async () => void child.stdin.end());
  return new Promise((resolve) => {
    child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
  });
}
