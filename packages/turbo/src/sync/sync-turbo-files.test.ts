import { parse } from "jsonc-parser";
import { describe, expect, it } from "vitest";
import { syncCommand as command } from "../../test/sync-command.ts";
import { syncTurboFiles, type SyncResult } from "./sync-turbo-files.ts";
import type { PackagePlace, SyncGroup, SyncPackage } from "./sync-workspace.ts";

function group(name: string, members: readonly string[], free = true): SyncGroup {
  return { kind: "group", name, line: 9, dependencies: [], members, free };
}

/** Every task has a script that runs cuenv, unless said otherwise. */
function owner(path: string, tasks: SyncPackage["tasks"], more: Partial<SyncPackage> = {}) {
  const scripts = tasks
    .filter(({ kind }) => kind === "command")
    .map(({ name }) => [name, `cuenv task ${name} --only`] as const);
  return {
    name: path === "" ? "//" : (path.split("/").at(-1) ?? ""),
    path,
    scripts: Object.fromEntries(scripts),
    tasks,
    cuenvRoot: "",
    rootInCuenv: "",
    cueFiles: [path === "" ? "env.cue" : `${path}/env.cue`],
    ignoredOutputs: [],
    hasEnvironments: false,
    ...more,
  } satisfies SyncPackage;
}

function sync(
  packages: readonly SyncPackage[],
  files: Readonly<Record<string, string>> = {},
  others: readonly PackagePlace[] = [],
): SyncResult {
  return syncTurboFiles({ packages, others, runtime: ["node --version"] }, (path) => files[path]);
}

type Tasks = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The tasks of a file as it would be, without what all tasks have that run cuenv. */
function tasksIn({ files }: SyncResult, path = "turbo.json"): Tasks | undefined {
  const text = files.find((file) => file.path === path)?.after;
  if (text === undefined) return undefined;
  const { tasks } = parse(text) as { tasks: Tasks };
  const without = (task: Tasks[string]): Tasks[string] =>
    Object.fromEntries(Object.entries(task).filter(([field]) => field !== "passThroughEnv"));
  return Object.fromEntries(Object.entries(tasks).map(([name, task]) => [name, without(task)]));
}

function texts({ files }: SyncResult): Record<string, string> {
  return Object.fromEntries(files.map(({ path, after }) => [path, after]));
}

const inputs = ["src", "env.cue"];

describe("tasks of env.cue in turbo.json", () => {
  it("have dependencies, files, outputs and variables, and run again when env.cue changes", () => {
    const build = command("build", {
      dependencies: ["generate"],
      extraInputs: ["//tsconfig.json"],
      ignoreInputs: ["src/**/*.test.ts", "src/old"],
      outputs: ["dist", "!dist/tmp", "gen*"],
      environment: {
        ...command("x").environment,
        host: ["CI"],
        include: ["APP_*", "V?"],
        exclude: ["APP_SECRET", "APP_?"],
      },
    });
    const made = sync([
      owner("packages/web", [command("generate", { outputs: ["src/gen"] }), build]),
    ]);
    expect(tasksIn(made)).toEqual({
      generate: { inputs: [...inputs, "!src/gen", "!src/gen/**"], outputs: ["src/gen"] },
      build: {
        dependsOn: ["generate"],
        inputs: [
          "src",
          "$TURBO_ROOT$/tsconfig.json",
          "env.cue",
          "!src/**/*.test.ts",
          "!src/old",
          "!src/old/**",
          "!src/gen",
          "!src/gen/**",
        ],
        outputs: ["dist", "!dist/tmp", "gen*", "gen*/**"],
        env: ["CI", "APP_*", "V*", "!APP_SECRET"],
      },
    });
    expect(made.files[0]?.after).toContain('"passThroughEnv": ["CUENV_*", "!CUENV_ENV", "XDG_*"]');
    expect(made.notes).toEqual([]);
  });

  it("without inputs have all files of the package, less what is left out", () => {
    const tasks = [
      command("all", { inputs: null }),
      command("part", { inputs: null, ignoreInputs: ["docs"], extraInputs: ["../a/x.json"] }),
      command("none", { inputs: [] }),
      command("negative", { inputs: ["!docs"], outputs: [] }),
      command("beside", { inputs: ["!docs"], extraInputs: ["docs"], outputs: [] }),
      command("keyed", { hasCacheKey: true, outputs: [] }),
    ];
    const made = sync([owner("packages/web", tasks, { ignoredOutputs: ["dist"] })]);
    expect(tasksIn(made)).toEqual({
      all: { outputs: ["dist"] },
      part: {
        inputs: ["$TURBO_DEFAULT$", "$TURBO_ROOT$/packages/a/x.json", "!docs", "!docs/**"],
        outputs: ["dist"],
      },
      none: { inputs: ["env.cue"], outputs: ["dist"] },
      negative: { inputs: ["$TURBO_DEFAULT$", "!docs", "!docs/**"] },
      // Whatever comes beside it, such a list starts from all.
      beside: { inputs: ["$TURBO_DEFAULT$", "docs", "!docs", "!docs/**"] },
      keyed: { inputs: ["env.cue"] },
    });
  });

  it("never leave out more than cuenv does", () => {
    // Of turbo `!src/*` takes folders out with all that is in them; a class is a name to cuenv, too.
    const build = command("build", { ignoreInputs: ["src/*", "src/s*", "src/[a].ts", "../x/**"] });
    expect(tasksIn(sync([owner("packages/web", [build])]))?.["build"]?.["inputs"]).toEqual(inputs);
  });

  it("take no installed or generated file of a package that a pattern covers", () => {
    const lib = owner("packages/lib", [command("build")], { ignoredOutputs: ["dist"] });
    const web = owner("packages/web", [command("test", { inputs: ["src", "//packages/lib"] })]);
    expect(tasksIn(sync([lib, web]))?.["test"]?.["inputs"]).toEqual([
      "src",
      "$TURBO_ROOT$/packages/lib",
      "env.cue",
      "!$TURBO_ROOT$/packages/lib/dist",
      "!$TURBO_ROOT$/packages/lib/dist/**",
      "!$TURBO_ROOT$/packages/lib/**/node_modules/**",
      "!$TURBO_ROOT$/packages/lib/**/.turbo/**",
    ]);
  });

  it("wait for the task of another package whose outputs they read", () => {
    const lib = owner("packages/lib", [command("build")]);
    const web = owner("packages/web", [
      command("build", { inputs: ["src", "//packages/lib/dist/index.js"] }),
    ]);
    const made = sync([lib, web]);
    expect(tasksIn(made)).toEqual({ build: { inputs, outputs: ["dist"] } });
    expect(tasksIn(made, "packages/web/turbo.json")).toEqual({
      build: { dependsOn: ["lib#build"] },
    });
  });

  it("name files from cuenv's root, which may lie above or below turbo's", () => {
    const tasks = [command("build", { inputs: ["//js/packages/lib/src", "//js"], outputs: [] })];
    const above = sync([owner("packages/web", tasks, { rootInCuenv: "js" })]);
    expect(tasksIn(above)?.["build"]?.["inputs"]).toEqual(
      expect.arrayContaining(["$TURBO_ROOT$/packages/lib/src", "$TURBO_ROOT$/**"]),
    );
    const outside = [command("build", { inputs: ["//go/src"] })];
    const other = sync([owner("packages/web", outside, { rootInCuenv: "js" })]);
    expect(other.notes).toMatchObject([{ message: expect.stringContaining("//go/src lies out") }]);
    const below = sync([
      owner("js/web", [command("build", { inputs: ["//x"] })], { cuenvRoot: "js" }),
    ]);
    expect(tasksIn(below)?.["build"]?.["inputs"]).toEqual(["$TURBO_ROOT$/js/x", "env.cue"]);
  });

  it("of the root are the root's alone", () => {
    const made = sync([owner("", [command("fmt"), command("all", { dependencies: ["fmt"] })])]);
    expect(tasksIn(made)).toEqual({
      "//#fmt": { inputs, outputs: ["dist"] },
      "//#all": { dependsOn: ["fmt"], inputs: [...inputs], outputs: ["dist"] },
    });
  });

  it("that are groups stand for their members, or are cuenv's to run as a whole", () => {
    const members = [command("check.types"), command("check.lint")];
    const free = sync([
      owner("packages/web", [...members, group("check", ["check.types", "lint"])]),
    ]);
    expect(tasksIn(free)?.["check"]).toEqual({ dependsOn: ["check.types", "lint"], cache: false });
    const after = command("deploy", { dependencies: ["check.lint"] });
    const whole = [...members, group("check", ["check.types"], false), after];
    const bound = sync([owner("packages/web", whole)]);
    expect(Object.keys(tasksIn(bound) ?? {})).toEqual(["check", "deploy"]);
    expect(tasksIn(bound)).toMatchObject({
      check: { cache: false },
      deploy: { dependsOn: ["check"] },
    });
    expect(bound.notes).toMatchObject([
      {
        task: "check",
        line: null,
        message: expect.stringContaining('"check": "cuenv task check"'),
      },
    ]);
  });
});

describe("what turbo's hash would not have", () => {
  const env = command("x").environment;
  it.each([
    ["a secret", { environment: { ...env, secrets: ["TOKEN"] } }, "the value of TOKEN is a secret"],
    ["an age", { maxAgeMs: 1 }, "it has a maxAge"],
    ["one direction", { cache: "read" }, "its cache mode is read"],
    ["what another prints", { printedBy: ["version"] }, "it uses what version prints"],
    ["files outside", { inputs: ["../../../x"] }, "../../../x lies outside"],
    ["outputs outside", { outputs: ["../../../x"] }, "../../../x lies outside"],
    ["what runs every time", { dependencies: ["now"] }, "now is not cached"],
    ["what a dependency has", { dependencies: ["aged"] }, "aged, which it depends on: it has a"],
  ] as const)("is cuenv's to keep: %s", (_, more, why) => {
    const tasks = [
      command("now", { cache: "off", inputs: [] }),
      command("aged", { maxAgeMs: 5 }),
      command("build", more),
    ];
    const made = sync([owner("packages/web", tasks)]);
    expect(tasksIn(made)?.["build"]).toMatchObject({ cache: false });
    expect(made.notes.at(-1)?.message).toContain(`not cached by turbo: ${why}`);
    expect(made.notes.at(-1)).toMatchObject({ file: "packages/web/env.cue", line: 3 });
  });

  it("is said: tools, a script that is not cuenv's, one that is not there, names, refusals", () => {
    const tasks = [
      command("build", {
        runtime: ["node --version", "tsc -v"],
        environment: { ...env, set: ["LEVEL"] },
      }),
      command("test"),
      command("a#b"),
      command("boxed", { refused: { message: "it wants a sandbox" } }),
      command("open", { environment: { ...env, mode: "loose" } }),
    ];
    const root = owner("", [command("build")], { scripts: { build: "turbo run build" } });
    expect(sync([root]).notes).toMatchObject([
      { file: "env.cue", task: "build", message: "left out: its script runs turbo" },
    ]);
    const scripts = { build: "tsc -b", "a#b": "", boxed: "", open: "cuenv task open --only" };
    const made = sync([owner("packages/web", tasks, { scripts })]);
    expect(made.notes.map(({ task, message }) => [task, message.slice(0, 40)])).toEqual([
      ["build", "its script does not get LEVEL, which env"],
      ["build", "turbo's hash does not have what `tsc -v`"],
      ["a#b", "left out: turbo takes no such name"],
      ["boxed", "left out: it wants a sandbox"],
      ["open", "envMode loose is not translated: turbo h"],
      ["test", "there is no such script, so turbo has no"],
    ]);
    expect(Object.keys(tasksIn(made) ?? {})).toEqual(["build", "test", "open"]);
    expect(made.files[0]?.after.match(/CUENV_\*/g)).toHaveLength(2);
  });

  it("is which environment was chosen, unless it is in env", () => {
    const made = sync([owner("packages/web", [command("build")], { hasEnvironments: true })]);
    expect(tasksIn(made)?.["build"]?.["env"]).toEqual(["CUENV_ENV"]);
  });
});

describe("where a definition stands", () => {
  const usual = command("build");
  const other = command("build", { inputs: null, outputs: [], dependencies: [] });

  it("is the root for what most packages say, and a package for what it says else", () => {
    const places = ["packages/a", "packages/b", "packages/c"];
    const packages = places.map((path, at) => owner(path, [at === 0 ? other : usual]));
    const made = sync(packages);
    expect(tasksIn(made)).toEqual({ build: { inputs, outputs: ["dist"] } });
    expect(made.files.map(({ path }) => path)).toEqual(["turbo.json", "packages/a/turbo.json"]);
    expect(parse(made.files[1]?.after ?? "")).toEqual({
      extends: ["//"],
      tasks: { build: { inputs: ["$TURBO_DEFAULT$"], outputs: [] } },
    });
  });

  it("is not the root while a package without an env.cue has such a script", () => {
    const packages = [owner("packages/a", [usual])];
    const stranger = { name: "z", path: "packages/z", scripts: { build: "make" } };
    const made = sync(packages, { "turbo.json": '{"tasks": {"build": {}}}' }, [stranger]);
    expect(made.files.map(({ path }) => path)).toEqual(["packages/a/turbo.json"]);
  });

  it("is `web#build` of the root where that is there already", () => {
    const text = '{"tasks": {"a#build": {"outputs": ["x"]}}}';
    const made = sync([owner("packages/a", [usual])], { "turbo.json": text });
    expect(tasksIn(made)).toEqual({ "a#build": { outputs: ["dist"], inputs } });
    expect(made.files).toHaveLength(1);
  });
});

describe("a turbo.json that is there", () => {
  const packages = [owner("packages/a", [command("build", { dependencies: ["gen"] })])];
  const text = `{
  // Ours, since 2024.
  "globalEnv": ["CI"],
  "tasks": {
    "lint": {"cache": false}, // by hand
    "build": {
      "outputLogs": "new-only",
      "dependsOn": ["^build", "x#y", "old"],
    },
  },
}
`;

  it("keeps comments, order, other tasks, other fields, and dependencies of other packages", () => {
    const [file] = sync(packages, { "turbo.json": text }).files;
    expect(file?.after).toBe(`{
  // Ours, since 2024.
  "globalEnv": ["CI"],
  "tasks": {
    "lint": {"cache": false}, // by hand
    "build": {
      // cuenv turbo sync: from env.cue
      "outputLogs": "new-only",
      "dependsOn": ["^build", "x#y", "gen"],
      "inputs": ["src", "env.cue"],
      "outputs": ["dist"],
      "passThroughEnv": ["CUENV_*", "!CUENV_ENV", "XDG_*"],
    },
  },
}
`);
    expect(file).toMatchObject({ before: text, tasks: ["build"] });
  });

  it("is in step when it says the same in another way", () => {
    const after = sync(packages, { "turbo.json": text }).files[0]?.after ?? "";
    const same = after
      .replace('["^build", "x#y", "gen"]', '[ "gen",\n "x#y", "^build" ]')
      .replace('"outputs": ["dist"]', '"cache": true, "outputs": ["dist"]');
    expect(sync(packages, { "turbo.json": same }).files).toEqual([]);
  });

  it("loses what env.cue has no more, and only that", () => {
    const after = sync(packages, { "turbo.json": text }).files[0]?.after ?? "";
    const made = sync([owner("packages/a", [])], { "turbo.json": after });
    expect(made.files[0]?.after).toBe(
      text.replace('["^build", "x#y", "old"]', '["^build", "x#y"]'),
    );
    expect(made.notes).toMatchObject([{ file: "turbo.json", task: "build" }]);
    const own = sync([owner("packages/a", [command("gen")])]);
    const gone = sync([owner("packages/a", [])], texts(own));
    expect(tasksIn(gone)).toEqual({});
  });

  it("keeps a task that does not end out of the cache", () => {
    const dev = '{"tasks": {"build": {"persistent": true}}}';
    expect(tasksIn(sync(packages, { "turbo.json": dev }))).toMatchObject({
      build: { persistent: true, cache: false },
    });
  });

  it("of a package waits for what the root's waits for, and no longer than that does", () => {
    const special = owner("packages/b", [command("build", { dependencies: ["more"] })]);
    const root = '{"tasks": {"build": {"dependsOn": ["^build"]}}}';
    const made = sync([...packages, special], { "turbo.json": root });
    const own = tasksIn(made, "packages/b/turbo.json");
    expect(own).toEqual({ build: { dependsOn: ["^build", "more"] } });
    const without = texts(made);
    without["turbo.json"] = (without["turbo.json"] ?? "").replace('"^build", ', "");
    const again = sync([...packages, special], without);
    expect(tasksIn(again, "packages/b/turbo.json")).toEqual({ build: { dependsOn: ["more"] } });
    // Extends the root's list, as turbo has it since 2.7.
    const extending =
      '{"extends":["//"],"tasks":{"build":{"dependsOn":["$TURBO_EXTENDS$","more"]}}}';
    const kept = sync([owner("packages/a", [command("build")]), special], {
      "packages/b/turbo.json": extending,
    });
    expect(tasksIn(kept, "packages/b/turbo.json")).toMatchObject({
      build: { dependsOn: ["$TURBO_EXTENDS$", "more"] },
    });
  });

  it("keeps variables that are passed on, and shows all to a task that turbo keeps nothing of", () => {
    const given = '{"tasks": {"build": {"passThroughEnv": ["NPM_TOKEN"]}}}';
    const passed = (file: string | undefined) =>
      (parse(file ?? "") as { tasks: Tasks }).tasks["build"]?.["passThroughEnv"];
    const [made] = sync(packages, { "turbo.json": given }).files;
    expect(passed(made?.after)).toEqual(["NPM_TOKEN", "CUENV_*", "!CUENV_ENV", "XDG_*"]);
    const uncached = [owner("packages/a", [command("build", { cache: "off" })])];
    const [then] = sync(uncached, { "turbo.json": made?.after ?? "" }).files;
    expect(passed(then?.after)).toEqual(["NPM_TOKEN", "*", "!CUENV_ENV"]);
    const [gone] = sync([owner("packages/a", [])], { "turbo.json": made?.after ?? "" }).files;
    expect(passed(gone?.after)).toEqual(["NPM_TOKEN"]);
  });

  it("is turbo.jsonc where that is its name", () => {
    const made = sync(packages, { "turbo.jsonc": text });
    expect(made.files.map(({ path }) => path)).toEqual(["turbo.jsonc"]);
  });

  it.each([
    ['{"tasks": {]}', 1, "it is not valid JSON"],
    ["[]", 1, "it is not valid JSON"],
    ['{"pipeline": {}}', undefined, "it has `pipeline`"],
    ['{"tasks": []}', undefined, "its tasks are no object"],
  ])("is an error when it is none of turbo's: %s", (wrong, line, reason) => {
    const attempt = (): unknown => sync(packages, { "turbo.json": wrong });
    expect(attempt).toThrow(`cannot bring turbo.json in step: ${reason}`);
    expect(attempt).toThrow(
      expect.objectContaining({
        code: "TURBO_FILE",
        location: expect.objectContaining(line === undefined ? {} : { line }),
      }),
    );
  });
});
