import { spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { hash } from "node:crypto";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { temporaryFolder } from "./sandbox.ts";

/** The client at the versions that are tried, by the name that package.json has it under. */
export const turboVersions = {
  "2.9.6": "turbo-2-9",
  "2.10.4": "turbo-2-10",
  "2.11.11": "turbo",
} as const;
export type TurboVersion = keyof typeof turboVersions;

/** The native program of a version; the npm package's own start script costs a Node start. */
export function turboProgram(version: TurboVersion): string {
  const from = createRequire(import.meta.url);
  const within = createRequire(from.resolve(`${turboVersions[version]}/package.json`));
  const platform = `${process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return join(dirname(within.resolve(`@turbo/${platform}/package.json`)), "bin", "turbo");
}

/** One program for all packages: outputs of every kind. */
const build = `#!/bin/sh
set -e
echo "building $1"
rm -rf dist && mkdir -p dist/empty "dist/with space"
cat src/in.txt > dist/main.txt
printf '#!/bin/sh\\necho tool\\n' > dist/tool && chmod 755 dist/tool
ln -s main.txt dist/link
echo ü > "dist/with space/ünïcode.txt"
head -c 2000000 /dev/urandom > dist/random.bin
test ! -e src/size || head -c "$(cat src/size)" /dev/urandom > dist/large.bin
echo run >> "$RUNS/$1"
`;

export interface TurboWorkspace {
  readonly root: string;
  /** How often each package was built. */
  runs(): Readonly<Record<string, number>>;
  /** Everything below the packages' dist folders: kind, mode and content. */
  outputs(): Readonly<Record<string, string>>;
  /** As a new clone on another machine: no output, no log, nothing in turbo's own cache. */
  wipe(): void;
  write(name: string, content: string): void;
  /** The environment of whoever runs turbo here. */
  env(more?: Readonly<Record<string, string>>): Record<string, string>;
}

export interface TurboWorkspaceOptions {
  readonly signature?: boolean;
  /** One more output of `core` has so many bytes. */
  readonly largeBytes?: number;
}

export function makeTurboWorkspace(options: TurboWorkspaceOptions = {}): TurboWorkspace {
  const base = temporaryFolder();
  const root = join(base, "work");
  const runsFolder = join(base, "runs");
  const write = (name: string, content: string): void => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  mkdirSync(runsFolder, { recursive: true });
  write(
    "package.json",
    JSON.stringify({
      name: "root",
      private: true,
      packageManager: "npm@11.0.0",
      workspaces: ["packages/*"],
    }),
  );
  write("package-lock.json", JSON.stringify({ name: "root", lockfileVersion: 3, packages: {} }));
  const remoteCache = options.signature === true ? { remoteCache: { signature: true } } : {};
  const task = { dependsOn: ["^build"], outputs: ["dist/**"], passThroughEnv: ["RUNS"] };
  write("turbo.json", JSON.stringify({ ...remoteCache, tasks: { build: task } }));
  write(".gitignore", "node_modules\n.turbo\ndist\n");
  for (const [name, needs] of Object.entries({ core: [], lib: ["core"], app: ["lib", "core"] })) {
    const dependencies = Object.fromEntries(needs.map((need) => [need, "*"]));
    write(
      `packages/${name}/package.json`,
      JSON.stringify({
        name,
        version: "1.0.0",
        scripts: { build: `sh ../../build.sh ${name}` },
        dependencies,
      }),
    );
    write(`packages/${name}/src/in.txt`, `${name}\n`);
  }
  if (options.largeBytes !== undefined) write("packages/core/src/size", `${options.largeBytes}`);
  write("build.sh", build);
  chmodSync(join(root, "build.sh"), 0o755);
  for (const args of [
    ["init", "-q"],
    ["add", "-A"],
    ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
  ])
    spawnSync("git", args, { cwd: root });
  const packages = ["core", "lib", "app"];
  return {
    root,
    write,
    runs: () =>
      Object.fromEntries(
        readdirSync(runsFolder).map((name) => [
          name,
          readFileSync(join(runsFolder, name), "utf8").split("\n").length - 1,
        ]),
      ),
    outputs: () =>
      Object.assign(
        {},
        ...packages.map((name) => treeOf(join(root, "packages", name, "dist"), name)),
      ) as Record<string, string>,
    wipe() {
      for (const name of packages)
        for (const folder of ["dist", ".turbo"])
          rmSync(join(root, "packages", name, folder), { recursive: true, force: true });
      rmSync(join(root, ".turbo"), { recursive: true, force: true });
      rmSync(join(root, "node_modules"), { recursive: true, force: true });
    },
    env: (more = {}) => ({
      PATH: process.env["PATH"] ?? "",
      HOME: join(base, "home"),
      RUNS: runsFolder,
      TURBO_TELEMETRY_DISABLED: "1",
      DO_NOT_TRACK: "1",
      TURBO_NO_UPDATE_NOTIFIER: "1",
      TURBO_GLOBAL_WARNING_DISABLED: "1",
      ...more,
    }),
  };
}

function treeOf(folder: string, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const { mode } = lstatSync(path);
    const content = entry.isSymbolicLink()
      ? `-> ${readlinkSync(path)}`
      : entry.isDirectory()
        ? "folder"
        : `${(mode & 0o777).toString(8)} ${hash("sha256", readFileSync(path))}`;
    found[`${prefix}/${path.slice(folder.length + 1)}`] = content;
  }
  return found;
}

export interface Ran {
  readonly code: number | null;
  readonly output: string;
}

/** A program to its end; both streams as one text. */
export function runProgram(
  argv: readonly string[],
  options: { readonly cwd: string; readonly env: Readonly<Record<string, string>> },
): Promise<Ran> {
  const [program = "", ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}
