import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import { draft, notesOf, task } from "../../test/drafts.ts";
import type { Draft } from "./draft.ts";
import { withoutComments } from "./json-file.ts";

describe("a plain package", () => {
  it("has its scripts as tasks that are not cached, each as it is written", () => {
    const found = draft({
      "package.json": { scripts: { build: "tsc -b", "test:unit": "vitest run" } },
    });
    expect(found.tasks.map(({ name, fields }) => [name, fields])).toEqual([
      ["build", { command: "tsc -b" }],
      ["test:unit", { command: "vitest run" }],
    ]);
    expect(notesOf(found)).toMatch(/nothing is cached yet/);
  });

  it("goes through the package manager where the text alone would not do", () => {
    const scripts = {
      build: "tsc",
      prebuild: "rimraf dist",
      info: "echo $npm_package_version",
      "post code": "true",
    };
    const commands = (lock: string): unknown[] => {
      const found = draft({ "package.json": { scripts }, [lock]: "" });
      return found.tasks.map(({ name, fields }) => [name, fields["command"]]);
    };
    expect(commands("package-lock.json")).toEqual([
      ["build", "npm run build --"],
      ["info", "npm run info --"],
      ["post code", "true"],
    ]);
    expect(commands("pnpm-lock.yaml")[0]).toEqual(["build", "pnpm run build"]);
    expect(commands("yarn.lock")[0]).toEqual(["build", "yarn run build"]);
  });

  it("leaves out what the package manager runs itself, and what runs cuenv", () => {
    const found = draft({
      "package.json": {
        scripts: { prepare: "husky", postinstall: "x", t: "cuenv task build", ok: "x" },
      },
    });
    expect(found.tasks.map(({ name }) => name)).toEqual(["ok"]);
    expect(notesOf(found)).toMatch(/prepare, postinstall, which npm runs by itself/);
    expect(notesOf(found, "t")).toMatch(/runs cuenv itself/);
  });
});

const turboRoot = {
  "package.json": { name: "root", private: true, workspaces: ["apps/*", "packages/*"] },
  "pnpm-lock.yaml": "",
  "packages/ui/package.json": { name: "@r/ui", dependencies: { "@r/css": "workspace:*" } },
  "packages/css/package.json": { name: "@r/css" },
  "packages/other/package.json": { name: "@r/other" },
};

function turbo(
  tasks: Readonly<Record<string, unknown>>,
  more: { readonly root?: object; readonly own?: object; readonly manifest?: object } = {},
): Draft {
  const scripts = { build: "b", lint: "l", test: "t" };
  return draft(
    {
      ...turboRoot,
      "turbo.json": `// a comment\n${JSON.stringify({ ...more.root, tasks }).replace(/\}$/, ",}")}`,
      "apps/web/package.json": {
        name: "@r/web",
        dependencies: { "@r/ui": "workspace:*" },
        scripts,
        ...more.manifest,
      },
      ...(more.own === undefined
        ? {}
        : { "apps/web/turbo.json": { extends: ["//"], ...more.own } }),
    },
    "apps/web",
  );
}

describe("a package of a Turborepo workspace", () => {
  it("has inputs, outputs, variables and order as turbo.json says, for the scripts that it has", () => {
    const found = turbo(
      {
        build: {
          dependsOn: ["^build", "lint", "$LEGACY"],
          inputs: ["$TURBO_DEFAULT$", "!README.md", "$TURBO_ROOT$/tsconfig.json"],
          outputs: ["dist/**", "!dist/cache/**"],
          env: ["API_URL", "!API_KEY"],
        },
        lint: { inputs: ["src/**"] },
        missing: { outputs: ["x"] },
      },
      { root: { globalDependencies: ["base.json"], globalEnv: ["CI"], envMode: "loose" } },
    );
    expect(found.tasks.map(({ name }) => name)).toEqual(["build", "lint", "test"]);
    expect(task(found, "build")).toEqual({
      command: "b",
      dependencies: ["lint"],
      inputs: [".", "!README.md", "//tsconfig.json"],
      outputs: ["dist/**", "!dist/cache/**"],
      cache: true,
      cacheConfig: { envInclude: ["API_URL", "LEGACY"], envExclude: ["API_KEY"] },
    });
    expect(task(found, "lint")).toMatchObject({ inputs: ["src/**", "package.json"], outputs: [] });
    expect(task(found, "test")).toEqual({ command: "t" });
    expect(found.cache).toEqual({
      envInclude: ["CI"],
      envMode: "loose",
      runtime: ["node --version"],
    });
    expect(notesOf(found, "build")).toMatch(/does not wait for \^build/);
  });

  it("depends on the packages that it uses, on the lockfile and on what is global", () => {
    const found = turbo({ build: {} }, { root: { globalDependencies: ["base.json", "!x"] } });
    expect(found.shared).toEqual([
      "//base.json",
      "!//x",
      "//pnpm-lock.yaml",
      "//packages/css/**",
      "!//packages/css/node_modules/**",
      "//packages/ui/**",
      "!//packages/ui/node_modules/**",
    ]);
    expect(found.tasks.map(({ name, usesShared }) => [name, usesShared])).toEqual([
      ["build", true],
      ["lint", false],
      ["test", false],
    ]);
  });

  it("depends on what the tasks that it waits for make in the packages that it uses, and those wait for", () => {
    const outputs = ["$TURBO_ROOT$/out/ui", "dist/**", "!dist/cache/**"];
    const found = draft(
      {
        ...turboRoot,
        "turbo.json": {
          tasks: {
            build: { dependsOn: ["^build", "gen"], outputs },
            gen: { dependsOn: ["^tokens"], outputs: ["gen"] },
            test: { outputs: ["coverage"] },
            tokens: { outputs: ["tokens.json"] },
          },
        },
        "packages/ui/package.json": {
          name: "@r/ui",
          dependencies: { "@r/css": "workspace:*" },
          scripts: { build: "b", test: "t" },
        },
        "packages/css/package.json": { name: "@r/css", scripts: { gen: "g", tokens: "x" } },
        "apps/web/package.json": {
          dependencies: { "@r/ui": "workspace:*" },
          scripts: { build: "b" },
        },
      },
      "apps/web",
    );
    expect(found.shared.slice(1)).toEqual([
      "//packages/css/**",
      "!//packages/css/node_modules/**",
      // Where there is no build, what it would wait for.
      "//packages/css/gen",
      "//packages/css/tokens.json",
      "//packages/ui/**",
      "!//packages/ui/node_modules/**",
      "//out/ui",
      "//packages/ui/dist/**",
      "!//packages/ui/dist/cache/**",
    ]);
  });

  it("counts the variables of the framework that it is built with", () => {
    const found = turbo({ build: {} }, { manifest: { devDependencies: { vite: "1", next: "1" } } });
    expect(found.cache["envInclude"]).toEqual(["NEXT_PUBLIC_*", "VITE_*"]);
  });

  it("is not cached where turbo says so, and where tasks run on", () => {
    const found = turbo({
      build: { cache: false },
      lint: { persistent: true },
      test: { interactive: true },
    });
    expect(found.tasks.map(({ fields }) => fields["cache"])).toEqual([false, false, false]);
  });

  it("takes its own turbo.json over the root's, field by field, and its entry in the root over all", () => {
    const found = turbo(
      {
        build: { outputs: ["a"], env: ["A"] },
        "@r/web#test": { outputs: ["mine"] },
        test: { outputs: ["all"] },
      },
      { own: { tasks: { build: { outputs: ["$TURBO_EXTENDS$", "b"] } } } },
    );
    expect(task(found, "build")).toMatchObject({
      outputs: ["a", "b"],
      cacheConfig: { envInclude: ["A"] },
    });
    expect(task(found, "test")["outputs"]).toEqual(["mine"]);
  });

  it("waits for what a task without a script waits for", () => {
    const found = turbo({
      build: { dependsOn: ["transit"] },
      transit: { dependsOn: ["^transit", "lint"] },
      lint: {},
    });
    expect(task(found, "build")["dependencies"]).toEqual(["lint"]);
    expect(notesOf(found, "build")).toMatch(/\^transit/);
  });

  it("at the root has the root's scripts, and only their entries", () => {
    const found = draft({
      ...turboRoot,
      "package.json": {
        workspaces: ["packages/*"],
        scripts: { build: "turbo run build", gen: "x" },
      },
      "turbo.json": {
        tasks: { build: { outputs: ["dist"] }, "//#gen": { outputs: ["generated"] } },
      },
    });
    expect(task(found, "build")).toEqual({ command: "turbo run build" });
    expect(task(found, "gen")).toMatchObject({ outputs: ["generated"], cache: true });
  });

  it("reads the pipeline of turbo 1", () => {
    const found = draft({
      "package.json": { scripts: { build: "b" } },
      "turbo.json": { pipeline: { "//#build": { outputs: ["o"] } } },
    });
    expect(task(found, "build")["outputs"]).toEqual(["o"]);
  });
});

describe("what cuenv would refuse", () => {
  it("is taken out before, and told: outputs of two tasks, circles, names", () => {
    const found = turbo({
      build: { outputs: ["dist/**"], dependsOn: ["test"] },
      lint: { outputs: ["dist/a"] },
      test: { dependsOn: ["build"] },
    });
    expect(task(found, "lint")).toEqual({ command: "l", cache: false });
    expect(notesOf(found, "lint")).toMatch(/not cached: .*overlap/);
    expect(task(found, "test")["dependencies"]).toBeUndefined();
    expect(notesOf(found, "test")).toMatch(/does not wait for build: .*circle/);
    const whole = turbo({ build: { outputs: ["**"] } });
    expect(notesOf(whole, "build")).toMatch(/not cached/);
    const named = draft({ "package.json": { scripts: { "a\nb": "x", ok: "y" } } });
    expect(named.tasks.map(({ name }) => name)).toEqual(["ok"]);
    expect(notesOf(named)).toMatch(/is left out/);
    const alike = draft({ "package.json": { scripts: { "caf\u00e9": "x", "cafe\u0301": "y" } } });
    expect(alike.tasks.map(({ fields }) => fields)).toEqual([{ command: "x" }]);
    expect(notesOf(alike)).toMatch(/looks the same/);
  });
});

describe("what it is made of", () => {
  const errorOf = (action: () => unknown): CuenvError => {
    try {
      action();
    } catch (error) {
      if (error instanceof CuenvError) return error;
    }
    throw new Error("expected an error");
  };

  it("is the workspace's tool, unless it is told otherwise", () => {
    const files = { "package.json": { scripts: { build: "b" } }, "turbo.json": {}, "nx.json": {} };
    expect(draft(files).sources).toEqual(["package.json", "turbo.json"]);
    expect(notesOf(draft(files))).toMatch(/--from nx/);
    expect(draft(files, ".", "nx").sources).toEqual(["package.json", "nx.json"]);
    expect(draft(files, ".", "scripts").sources).toEqual(["package.json"]);
  });

  it("is named when it is not there or cannot be read", () => {
    expect(errorOf(() => draft({})).code).toBe("INIT_NOTHING_FOUND");
    expect(errorOf(() => draft({ "package.json": {} }, ".", "turbo")).message).toMatch(
      /no turbo.json/,
    );
    expect(errorOf(() => draft({ "package.json": {} }, ".", "nx")).message).toMatch(/no nx.json/);
    expect(errorOf(() => draft({ "package.json": "{" })).code).toBe("CONFIG_FILE");
    expect(errorOf(() => draft({ "package.json": "[]" })).message).toMatch(/no JSON object/);
    expect(errorOf(() => draft({ "package.json": { name: "x", scripts: {} } })).message).toMatch(
      /nothing in package.json becomes a task$/,
    );
    const empty = { "package.json": {}, "nx.json": {}, "project.json": { targets: {} } };
    expect(errorOf(() => draft(empty)).hint).toMatch(/^cuenv init --from scripts reads/);
    expect(errorOf(() => draft({ "package.json": {} })).hint).toMatch(/^Add scripts to it/);
    const installing = { "package.json": { scripts: { prepare: "husky" } } };
    expect(errorOf(() => draft(installing)).message).toMatch(
      /nothing in package.json becomes a task; left out: prepare/,
    );
  });

  it("survives manifests that are not as they should be", () => {
    const odd = {
      scripts: { a: 1, b: null, c: ["x"], d: "", __proto__: 1, e: "true" },
      name: 7,
      workspaces: 1,
    };
    expect(draft({ "package.json": odd }).tasks.map(({ name }) => name)).toEqual(["e"]);
    const found = turbo({
      build: 3,
      lint: { dependsOn: "x", inputs: {}, outputs: [1, "o"], env: 4 },
    });
    expect(task(found, "lint")).toMatchObject({ outputs: ["o"], cache: true });
    const nx = (targets: Readonly<Record<string, unknown>>): Draft =>
      draft({ "nx.json": {}, "project.json": { targets } });
    expect(
      nx({
        a: 1,
        b: null,
        c: { command: 5 },
        d: { command: "ok", inputs: [null, 1, { x: 1 }], outputs: 3 },
      }).tasks,
    ).toHaveLength(1);
  });
});

describe("JSON with comments", () => {
  it("is read, and what is in strings stays", () => {
    const text = `{ // one "two"\n "a": "// not /* a */ comment,]", /* x\n y */ "b": [1, 2, ], "c\\"": ",}",\n}`;
    expect(JSON.parse(withoutComments(text))).toEqual({
      a: "// not /* a */ comment,]",
      b: [1, 2],
      'c"': ",}",
    });
  });
});
