import { cue, createSandbox, type Sandbox } from "../e2e/sandbox.ts";
import type { Random } from "../builds/random.ts";

/** Where files may lie in a package: names that are one thing to cuenv and another to turbo among them. */
const folders = [
  "",
  "src/",
  "src/a/",
  "src/a/b/",
  ".hid/",
  "docs/",
  "app/[id]/",
  "app/(g)/",
  "s.d/",
];
const names = ["x.ts", "y.md", ".dot", "a b.txt", "k,l.txt", "$p.txt", "index.test.ts", "[id].ts"];
const shared = ["shared/x.ts", "shared/y.md", "README.md"];

const patterns: readonly string[] = [
  "src",
  "src/",
  "src/**",
  "src/*",
  "src/*.ts",
  "**/*.ts",
  "**/*",
  "*",
  "*.md",
  ".",
  "./src",
  "src/a",
  "src/*/",
  "*/a",
  "*/",
  "src/a/*",
  "src/../docs",
  "src/**/b",
  "**/a/**",
  "**/b/*.ts",
  "{src,docs}",
  "{src/a,docs}/*.md",
  "{,src/}x.ts",
  "src/x{,.d}.ts",
  "src/**/*.{ts,md}",
  "app",
  "app/[id]",
  "app/[id]/**",
  "app/(g)/**",
  "app/*",
  "src/?.ts",
  "src/[!x].*",
  "***",
  "//shared",
  "//*.md",
  "//packages/p0/src",
  "//packages/*/src",
  "//packages/*/docs/*.md",
  ".hid",
  "s.d",
  "k,l.txt",
  "$p.txt",
  "a b.txt",
  "**/.dot",
];
const exclusions: readonly string[] = [
  "!**/*.md",
  "!src/a",
  "!src/a/**",
  "!src/*",
  "!**/.dot",
  "!docs",
  "!src/x.ts",
  "!*",
  "!**/*.test.ts",
  "!{src,docs}/*.md",
  "!app/[id]",
  "!//shared/y.md",
  "!**/b/**",
];
const variables = ["A_1", "A_2", "B", "C_1", "T_X"];
const filters = ["A_*", "B", "C_?", "*_X"];

/** A workspace of turbo's whose tasks are in env.cue. */
export interface SyncWorld {
  readonly sandbox: Sandbox;
  /** By package: the names of its tasks. */
  readonly tasks: ReadonlyMap<string, readonly string[]>;
  /** Of the host. */
  readonly variables: Record<string, string>;
}

const json = (value: unknown): string => `${JSON.stringify(value)}\n`;

function randomTask(random: Random): Readonly<Record<string, unknown>> {
  const inputs = [...random.some(patterns, 4), ...random.some(exclusions, 2)];
  return {
    command: "true",
    outputs: [],
    ...(random.percent(85) ? { inputs } : {}),
    cacheConfig: {
      extraInputs: random.percent(20) ? random.some(patterns, 2) : [],
      ignoreInputs: random.percent(20)
        ? random.some(exclusions, 2).map((each) => each.slice(1))
        : [],
      envInclude: random.some(filters, 2),
    },
  };
}

export function randomSyncWorld(random: Random): SyncWorld {
  const files: Record<string, string> = {
    "package.json": json({
      private: true,
      packageManager: "npm@11.0.0",
      workspaces: ["packages/*"],
    }),
    "package-lock.json": json({ name: "root", lockfileVersion: 3, packages: {} }),
    ".gitignore": "node_modules\n.turbo\n",
  };
  const tasks = new Map<string, readonly string[]>();
  for (const name of ["p0", "p1", "p2"].slice(0, 1 + random.below(3))) {
    const own = {
      build: randomTask(random),
      ...(random.percent(50) ? { test: randomTask(random) } : {}),
    };
    tasks.set(name, Object.keys(own));
    const scripts = Object.fromEntries(Object.keys(own).map((each) => [each, "true"]));
    files[`packages/${name}/package.json`] = json({ name, version: "1.0.0", scripts });
    files[`packages/${name}/env.cue`] = cue({ tasks: own });
    for (const folder of folders)
      for (const file of names)
        if (random.percent(15)) files[`packages/${name}/${folder}${file}`] = "0";
  }
  for (const file of shared) if (random.percent(60)) files[file] = "0";
  return { sandbox: createSandbox(files), tasks, variables: {} };
}

/** @returns what was done. */
export function editSyncWorld(random: Random, world: SyncWorld): string {
  const { sandbox, tasks } = world;
  if (random.percent(12)) {
    const name = random.pick(variables);
    world.variables[name] = String(random.below(3));
    return `set ${name}`;
  }
  const path = random.percent(12)
    ? random.pick(shared)
    : `packages/${random.pick([...tasks.keys()])}/${random.pick(folders)}${random.pick(names)}`;
  if (sandbox.exists(path) && random.percent(30)) {
    sandbox.remove(path);
    return `remove ${path}`;
  }
  sandbox.write(path, String(random.below(1_000_000)));
  return `write ${path}`;
}
