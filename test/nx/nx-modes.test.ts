import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { cue, launcher, runProgram } from "../e2e/sandbox.ts";
import { isFull } from "./in-full.ts";
import { installedNx } from "./nx-install.mjs";
import { makeNxWorkspace, type NxWorkspace, type NxWorkspaceOptions } from "./nx-workspace.ts";

let modules = "";
beforeAll(async () => {
  modules = await installedNx(24);
}, 300_000);

const workspaces: NxWorkspace[] = [];
afterEach(async () => {
  for (const workspace of workspaces.splice(0)) await workspace.stop();
});

const counted = { RUNS: { cuenvPassthrough: true } };
const build = {
  command: 'echo run >> "$RUNS/build"; mkdir -p dist; cat src/* > dist/out; echo built',
  inputs: ["src"],
  outputs: ["dist"],
};

function make(
  tasks: Readonly<Record<string, unknown>>,
  more: Partial<NxWorkspaceOptions> = {},
): NxWorkspace {
  const workspace = makeNxWorkspace({
    modules,
    ...more,
    files: {
      "packages/app/env.cue": cue({ name: "app", env: counted, tasks }),
      "packages/app/src/a.txt": "1",
      ...more.files,
    },
  });
  workspaces.push(workspace);
  return workspace;
}

/** Runs one target, which must end well, and gives what was printed. */
async function run(
  workspace: NxWorkspace,
  target: string,
  ...args: readonly string[]
): Promise<string> {
  const { code, output } = await workspace.nx(["run", target, ...args]);
  expect(code, output).toBe(0);
  return output;
}

describe("mode nx-native", () => {
  it("gives a task the environment that cuenv gives it, and no other", async () => {
    const show = {
      command: "env",
      inputs: [],
      env: { SAID: "by cue" },
      cacheConfig: { envInclude: ["SEEN_*"] },
    };
    const workspace = make({ show });
    const { output } = await workspace.nx(["run", "app:show"], {
      env: { NOBODYS: "1", SEEN_A: "a" },
    });
    expect(output).toContain("SAID=by cue");
    expect(output).toContain("SEEN_A=a");
    expect(output).not.toMatch(/^(?:NOBODYS|NX_\w+|CUENV_\w+)=/m);
    // A variable that a glob matches is in Nx' hash.
    await workspace.nx(["run", "app:show"], { env: { SEEN_A: "a", NOBODYS: "2" } });
    expect(workspace.cacheStatus()).toEqual({ "app:show": "local-cache-hit" });
    await workspace.nx(["run", "app:show"], { env: { SEEN_A: "b" } });
    expect(workspace.cacheStatus()).toEqual({ "app:show": "cache-miss" });
  });

  it("misses when a file, a tool, an output of a dependency, what a dependency reads that makes nothing, an ignored file that is named, or the task itself changes, and only then", async () => {
    const show = { command: "cat *.txt", inputs: ["in.txt"] };
    const gen = {
      command: "mkdir -p gen; head -c 1 in.txt > gen/a",
      inputs: ["in.txt"],
      outputs: ["gen"],
    };
    const projects = {
      file: { show },
      tool: { show: { ...show, inputs: [], cacheConfig: { runtime: ["cat in.txt"] } } },
      made: { gen, show: { command: "cat gen/a", inputs: [], dependencies: ["gen"] } },
      same: { gen, show: { command: "cat gen/a", inputs: [], dependencies: ["gen"] } },
      rules: {
        check: { ...show, command: "true" },
        show: { ...show, inputs: [], dependencies: ["check"] },
      },
      named: { show: { ...show, inputs: ["ignored/in.txt"] } },
      unread: { show: { ...show, inputs: ["other.txt"] } },
      itself: { show: { ...show, inputs: [] } },
    };
    const files = Object.entries(projects).flatMap(([name, tasks]) => [
      [`packages/${name}/env.cue`, cue({ name, tasks })],
      ...["in.txt", "other.txt", "ignored/in.txt"].map((file) => [`packages/${name}/${file}`, "1"]),
    ]);
    const workspace = makeNxWorkspace({
      modules,
      files: {
        ...(Object.fromEntries(files) as Record<string, string>),
        "packages/.gitignore": "ignored\ngen\n",
      },
    });
    const missed = async (): Promise<readonly string[]> => {
      await workspace.nx(["run-many", "-t", "show"]);
      const found = Object.entries(workspace.cacheStatus()).filter(
        ([, status]) => status === "cache-miss",
      );
      return found
        .map(([task]) => task)
        .filter((task) => task.endsWith(":show"))
        .toSorted();
    };
    const all = Object.keys(projects).map((name) => `${name}:show`);
    expect(await missed()).toEqual(all.toSorted());
    expect(await missed()).toEqual([]);
    for (const name of Object.keys(projects))
      workspace.write(`packages/${name}/in.txt`, name === "same" ? "1, and more" : "2");
    workspace.write("packages/named/ignored/in.txt", "2");
    const itself = { ...projects.itself.show, command: "cat in.txt" };
    workspace.write("packages/itself/env.cue", cue({ name: "itself", tasks: { show: itself } }));
    const changed = all.filter((task) => task !== "same:show" && task !== "unread:show");
    expect(await missed()).toEqual(changed.toSorted());
  });

  it("hashes and restores what has names that are globs to Nx: routes, and folders of projects", async () => {
    const project = (folder: string, input: string, output: string) => ({
      [`packages/${folder}/env.cue`]: cue({
        name: folder.replaceAll(/\W/g, ""),
        tasks: {
          build: { command: "rm -rf dist; cp -r app dist", inputs: [input], outputs: [output] },
        },
      }),
      [`packages/${folder}/app/(shop)/[id]/page.txt`]: "1",
    });
    const workspace = makeNxWorkspace({
      modules,
      files: {
        ...project("group", "app/(shop)", "dist"),
        ...project("group-file", "app/(shop)/*/page.txt", "dist"),
        ...project("route", "app/*/[id]", "dist"),
        ...project("out", "app", "dist/(shop)"),
        ...project("out-route", "app", "dist/(shop)/[id]"),
        ...project("(folder)", "app", "dist"),
        ...project("[folder2]", "app", "dist"),
      },
    });
    workspaces.push(workspace);
    const folders = ["group", "group-file", "route", "out", "out-route", "(folder)", "[folder2]"];
    const built = (folder: string) => `packages/${folder}/dist/(shop)/[id]/page.txt`;
    for (const content of ["1", "2", "1"]) {
      for (const folder of folders) {
        workspace.write(`packages/${folder}/app/(shop)/[id]/page.txt`, content);
        rmSync(join(workspace.root, "packages", folder, "dist"), { recursive: true, force: true });
      }
      const { code, output } = await workspace.nx(["run-many", "-t", "build"]);
      expect(code, output).toBe(0);
      expect(folders.map((folder) => [folder, workspace.read(built(folder))])).toEqual(
        folders.map((folder) => [folder, content]),
      );
    }
  });

  it.runIf(isFull)(
    "takes configurations for environments of env.cue, and arguments for parameters",
    async () => {
      const tasks = {
        greet: {
          command: "echo",
          args: ["{{who}}"],
          params: { who: { default: "you" } },
          inputs: [],
        },
        level: { command: "echo $LEVEL", inputs: [] },
      };
      const workspace = makeNxWorkspace({
        modules,
        files: {
          "packages/app/env.cue": cue({
            name: "app",
            env: { LEVEL: "low", environment: { prod: { LEVEL: "high" } } },
            tasks,
          }),
        },
      });
      expect(await run(workspace, "app:level")).toMatch(/^low$/m);
      expect(await run(workspace, "app:level:prod")).toMatch(/^high$/m);
      expect(await run(workspace, "app:greet", "--who=me")).toMatch(/^me$/m);
      expect(await run(workspace, "app:greet")).toMatch(/^you$/m);
    },
  );
});

describe("the option environment", () => {
  const level = { command: 'echo "level $LEVEL"', inputs: [] };
  const files = {
    "packages/app/env.cue": cue({
      name: "app",
      env: { LEVEL: "low", environment: { prod: { LEVEL: "high" } } },
      tasks: { level },
    }),
    "packages/lib/env.cue": cue({ name: "lib", env: { LEVEL: "lib's" }, tasks: { level } }),
  };

  it("holds for the projects that have it; the others are as they are without one", async () => {
    const workspace = makeNxWorkspace({ modules, files, options: { environment: "prod" } });
    workspaces.push(workspace);
    // Whatever the shell says: it would be an error in a project that does not have it.
    const env = { CUENV_ENV: "prod" };
    const { code, output } = await workspace.nx(
      ["run-many", "-t", "level", "--output-style=static"],
      { env },
    );
    expect(code, output).toBe(0);
    expect(output).toMatch(/^level high$/m);
    expect(output).toMatch(/^level lib's$/m);
    const shown = await workspace.nx(["show", "project", "lib", "--json"]);
    expect(JSON.parse(shown.stdout)).toMatchObject({
      metadata: { description: "Its env.cue has no environment prod: the targets have none" },
    });
  });

  it("that no project has is a slip, and no target is a success", async () => {
    const workspace = makeNxWorkspace({ modules, files, options: { environment: "pord" } });
    workspaces.push(workspace);
    const { code, output } = await workspace.nx([
      "run-many",
      "-t",
      "level",
      "--output-style=static",
    ]);
    expect(code, output).not.toBe(0);
    expect(output).toContain('cannot use environment "pord"');
    expect(output).toContain("there are prod");
    expect(output).not.toMatch(/^level/m);
  });
});

describe("mode cuenv", () => {
  it("looks up, restores, replays and stores by cuenv, and says so; Nx keeps nothing", async () => {
    const workspace = make({ build }, { options: { mode: "cuenv" } });
    const first = await run(workspace, "app:build");
    for (const text of ["cuenv build: miss, no result stored yet", "built", ", stored"])
      expect(first).toContain(text);
    const outputs = workspace.outputs();
    await workspace.wipe();
    const again = await run(workspace, "app:build");
    expect(again).toMatch(/^built$/m);
    expect(again).toMatch(/^cuenv build: hit, saved .*, restored 1 file$/m);
    expect(workspace.outputs()).toEqual(outputs);
    expect(workspace.runs()).toEqual({ build: 1 });
    expect(workspace.cacheStatus()).toEqual({ "app:build": "cache-miss" });
    expect(again).not.toContain("shared cache");
  });

  it.runIf(isFull)("has the key of cuenv task, with dependencies that Nx ran", async () => {
    const test = { command: "cat dist/out", inputs: [], dependencies: ["build"] };
    const workspace = make({ build, test }, { options: { modes: { test: "cuenv" } } });
    await run(workspace, "app:test");
    expect(await run(workspace, "app:test")).toContain("cuenv test: hit");
    workspace.write("packages/app/src/a.txt", "2");
    expect(await run(workspace, "app:test")).toContain("cuenv test: miss");
  });
});

describe("the executor", () => {
  const target = (fields: Readonly<Record<string, unknown>>) => ({
    executor: "@cuenv/nx:task",
    ...fields,
  });

  it("runs in both modes, and in never both on one target", async () => {
    const project = {
      name: "app",
      targets: {
        native: target({
          cache: true,
          outputs: ["{projectRoot}/dist"],
          options: { task: "build" },
        }),
        own: target({ cache: false, options: { task: "build", mode: "cuenv" } }),
        both: target({ cache: true, options: { task: "build", mode: "cuenv" } }),
        args: target({ options: { task: "says", args: ["a b"] } }),
      },
    };
    const says = { command: "echo", args: ["said"] };
    const workspace = make(
      { build, says },
      { files: { "packages/app/project.json": JSON.stringify(project) } },
    );
    await run(workspace, "app:native");
    await run(workspace, "app:native");
    expect(workspace.cacheStatus()).toEqual({ "app:native": "local-cache-hit" });
    expect(await run(workspace, "app:own")).toContain("cuenv build: miss");
    expect(await run(workspace, "app:own")).toContain("cuenv build: hit");
    const { code, output } = await workspace.nx(["run", "app:both"]);
    expect(code).toBe(1);
    expect(output).toContain("both Nx and cuenv would keep its result");
    expect(await run(workspace, "app:args", "--more=1")).toContain("said a b --more=1");
    expect(workspace.runs()).toEqual({ build: 2 });
  });

  it.runIf(isFull)("fails as its task fails", async () => {
    const project = { name: "app", targets: { t: target({ options: { task: "fails" } }) } };
    const fails = { command: "echo no; exit 3" };
    const workspace = make(
      { fails },
      { files: { "packages/app/project.json": JSON.stringify(project) } },
    );
    const { code, output } = await workspace.nx(["run", "app:t"]);
    expect([code, output]).toEqual([1, expect.stringContaining("no")]);
  });
});

describe("in Nx' own process, without isolation of plugins", () => {
  it("a failed task fails the run, and the shared cache comes to its end", async () => {
    const fails = { command: "echo no; exit 3", inputs: [] };
    const workspace = make({ build, fails });
    const options = { env: { NX_ISOLATE_PLUGINS: "false" } };
    const { code, output } = await workspace.nx(["run-many", "-t", "build", "fails"], options);
    expect(code, output).toBe(1);
    expect(output).toContain("shared cache: 0 hits, 2 misses, 1 stored");
  });
});

describe("cuenv nx why", () => {
  it.runIf(isFull)(
    "says what changed since Nx ran a target last, and what had changed then",
    async () => {
      const workspace = make({ build });
      const why = () =>
        runProgram(process.execPath, [launcher, "nx", "why", "app:build"], {
          cwd: workspace.root,
          env: {
            PATH: process.env["PATH"],
            HOME: workspace.root,
            CUENV_CACHE_DIR: workspace.cacheDir,
            NX_WORKSPACE_DATA_DIRECTORY: join(workspace.root, "../nx-data"),
            RUNS: join(workspace.root, "../runs"),
          },
        });
      expect((await why()).stdout).toContain("no earlier run of app:build is known");
      await run(workspace, "app:build");
      expect((await why()).stdout).toMatch(/^nothing changed since the last run\n/);
      workspace.write("packages/app/src/a.txt", "2");
      expect((await why()).stdout).toMatch(/^packages\/app\/src\/a\.txt changed\n/);
      await run(workspace, "app:build");
      const { stdout } = await why();
      expect(stdout).toMatch(/^nothing changed since the last run\n/);
      expect(stdout).toContain("files of app changed: packages/app/src");
    },
  );
});

describe("targets that run until they are ended", () => {
  it.runIf(isFull)("are continuous and never cached, in any mode", async () => {
    const dev = { command: "echo up; sleep 60", inputs: ["src"] };
    const check = { command: "echo checked", inputs: [] };
    const brief = { command: 'echo run >> "$RUNS/brief"', inputs: ["src"] };
    const own = { executor: "@cuenv/nx:task", options: { task: "brief", mode: "cuenv" } };
    const files = {
      "packages/app/project.json": JSON.stringify({
        name: "app",
        targets: {
          check: { dependsOn: ["dev"] },
          brief: { continuous: true },
          own: { ...own, continuous: true },
        },
      }),
    };
    const workspace = make({ dev, check, brief }, { files, options: { continuous: ["dev"] } });
    const { stdout } = await workspace.nx(["show", "project", "app", "--json"]);
    const { targets } = JSON.parse(stdout) as { targets: Record<string, unknown> };
    expect(targets["dev"]).toMatchObject({ continuous: true, cache: false });
    expect(await run(workspace, "app:check")).toContain("checked");
    // One that came to its end has no result all the same.
    for (const target of ["app:brief", "app:brief", "app:own", "app:own"])
      await run(workspace, target);
    expect(workspace.runs()).toEqual({ brief: 4 });
  });
});
