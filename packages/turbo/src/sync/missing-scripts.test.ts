import { describe, expect, it } from "vitest";
import { syncCommand as command } from "../../test/sync-command.ts";
import { syncTurboFiles } from "./sync-turbo-files.ts";
import type { SyncGroup, SyncPackage, SyncTask } from "./sync-workspace.ts";

function owner(
  path: string,
  tasks: readonly SyncTask[],
  scripts: Readonly<Record<string, string>> = {},
): SyncPackage {
  return {
    name: path.split("/").at(-1) ?? "",
    path,
    scripts,
    tasks,
    cuenvRoot: "",
    rootInCuenv: "",
    cueFiles: [`${path}/env.cue`],
    ignoredOutputs: [],
    hasEnvironments: false,
  };
}

function sync(
  packages: readonly SyncPackage[],
  files: Readonly<Record<string, string>> = {},
  scripts = true,
) {
  return syncTurboFiles({ packages, others: [], runtime: [] }, (path) => files[path], { scripts });
}

const ordered: SyncGroup = {
  kind: "sequence",
  name: "deploy all",
  line: 9,
  dependencies: [],
  members: [],
  free: false,
};

describe("scripts that turbo needs and package.json does not have", () => {
  it("are told once each, with all packages that lack them and what to add", () => {
    const packages = ["a", "b", "c"].map((name) =>
      owner(`packages/${name}`, [command("build")], name === "b" ? { build: "make" } : {}),
    );
    expect(sync(packages, {}, false).notes).toEqual([
      {
        file: "packages/a/package.json",
        line: null,
        task: "build",
        message:
          'there is no such script in a, c, so turbo has nothing to run there: "build": "cuenv task build --only", which cuenv turbo sync --scripts adds',
      },
    ]);
  });

  it("are added when that is asked for, and all else of the file stays", () => {
    const tasks = [
      command("gen"),
      command("build", { dependencies: ["gen"], printedBy: ["gen"] }),
      command("lint"),
      ordered,
    ];
    const packages = [owner("packages/a", tasks, { lint: "eslint ." }), owner("", [command("ci")])];
    const text =
      '{\n\t"name": "a",\n\t"scripts": {\n\t\t"lint": "eslint ."\n\t},\n\t"x": [1, 2]\n}\n';
    const made = sync(packages, { "packages/a/package.json": text, "package.json": "{}\n" });
    expect(made.notes.filter(({ message }) => message.includes("script"))).toEqual([]);
    const [own, root] = made.files.filter(({ path }) => path.endsWith("package.json"));
    expect(own).toMatchObject({ before: text, tasks: ["gen", "build", "deploy all"] });
    expect(own?.after).toBe(
      text.replace(
        '"eslint ."',
        '"eslint .",\n\t\t"gen": "cuenv task gen --only",\n\t\t"build": "cuenv task build",\n\t\t"deploy all": "cuenv task \'deploy all\'"',
      ),
    );
    expect(JSON.parse(root?.after ?? "")).toEqual({ scripts: { ci: "cuenv task ci --only" } });
  });

  it("are not added where a package manager would run them by itself", () => {
    const tasks = ["install", "prepare", "postinstall", "build", "prebuild", "test", "premium"];
    const made = sync([
      owner(
        "packages/a",
        tasks.map((name) => command(name)),
      ),
    ]);
    const manifest = made.files.find(({ path }) => path === "packages/a/package.json");
    expect(manifest?.tasks).toEqual(["build", "test", "premium"]);
    const told = made.notes.filter(({ message }) => message.includes("by themselves"));
    expect(told.map(({ task }) => task)).toEqual(["install", "prepare", "postinstall", "prebuild"]);
  });

  it("says where a package.json is not JSON, before anything is written", () => {
    const packages = [owner("packages/a", [command("build")])];
    expect(() => sync(packages, { "packages/a/package.json": '{"name": }' })).toThrow(
      expect.objectContaining({ code: "TURBO_FILE" }),
    );
  });
});
