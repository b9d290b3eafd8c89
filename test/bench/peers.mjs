import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { root } from "../../tools/workspace.mjs";
import { installPeer } from "./install-peer.mjs";
import { setAside } from "./set-aside.mjs";
import { workFolder } from "./work-folder.mjs";

const nxVersion = "24.0.6";

/**
 * A peer builds everything in a folder; `evaluate(folder)` only reads its configuration. `tool` says which generated files it needs, `command(folder)` what runs,
 * `reset(folder)` forgets what it stored, `keys(folder)` computes keys without running (where it can), `stop`
 * ends what it left running.
 */
export function cuenvPeer() {
  const cache = join(workFolder, "cuenv-cache");
  const launcher = join(root, "apps", "cli", "bin", "cuenv.js");
  const env = { ...plainEnvironment(), CUENV_CACHE_DIR: cache };
  const command = (folder, ...more) => ({
    argv: [process.execPath, launcher, "task", hasPackages(folder) ? "*:build" : "check", ...more],
    cwd: folder,
    env,
  });
  return {
    name: "cuenv",
    tool: "cuenv",
    command,
    keys: (folder) => command(folder, "--dry-run", "--json"),
    reset: () => setAside(cache),
    /** The list of tasks: it evaluates the configuration, which is remembered. */
    evaluate: (folder) =>
      spawnSync(process.execPath, [launcher, "task"], { cwd: folder, env, stdio: "ignore" }),
  };
}

export function turboPeer() {
  const binary = turboBinary();
  const env = {
    ...plainEnvironment(),
    PATH: [standInPackageManager(), process.env.PATH].join(delimiter),
    TURBO_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
  };
  const command = (folder, ...more) => ({
    argv: [binary, "run", hasPackages(folder) ? "build" : "check", ...more],
    cwd: folder,
    env,
  });
  return {
    name: "turbo",
    tool: "turbo",
    command,
    keys: (folder) => command(folder, "--dry=json"),
    reset: (folder) => setAside(join(folder, ".turbo")),
  };
}

export function nxPeer(daemon) {
  const modules = installPeer("nx", nxVersion, "--node-linker=hoisted");
  const bin = join(modules, "nx", "dist", "bin", "nx.js");
  const env = {
    ...plainEnvironment(),
    NX_DAEMON: String(daemon),
    NX_TUI: "false",
    NX_NO_CLOUD: "true",
    NX_NO_UPDATE_NOTIFIER: "true",
  };
  // By itself Nx 24 keeps both in the user's folder, for two copies of a repository in one: "FOREIGN KEY constraint failed".
  const own = (folder) => ({
    ...env,
    NX_CACHE_DIRECTORY: join(folder, ".nx", "cache"),
    NX_WORKSPACE_DATA_DIRECTORY: join(folder, ".nx", "workspace-data"),
  });
  const nx = (folder, ...args) => ({
    argv: [process.execPath, bin, ...args],
    cwd: folder,
    env: own(folder),
  });
  const nxQuietly = (folder, ...args) => {
    const { argv, ...options } = nx(folder, ...args);
    spawnSync(argv[0], argv.slice(1), { ...options, stdio: "ignore" });
  };
  return {
    name: daemon ? "nx, daemon" : "nx, no daemon",
    tool: "nx",
    nodeModules: modules,
    // Only its daemon knows what is in place already: without it every hit is written again.
    rewritesOutputs: !daemon,
    command: (folder) =>
      nx(folder, "run-many", "-t", hasPackages(folder) ? "build" : "check", "--outputStyle=static"),
    reset: (folder) => nxQuietly(folder, "reset"),
    stop: (folder) => nxQuietly(folder, "daemon", "--stop"),
  };
}

/** Two slots and no cache: what the builds themselves take. */
export function rawPeer() {
  const script = join(root, "test", "bench", "raw-runner.mjs");
  return {
    name: "no cache",
    tool: "none",
    command: (folder) => ({
      argv: [process.execPath, script, folder],
      cwd: folder,
      env: plainEnvironment(),
    }),
    reset: () => {},
  };
}

/** A user's environment, without what would change one of the tools or slow Node's start (NODE_EXTRA_CA_CERTS). */
export function plainEnvironment() {
  const foreign = /^(?:CUENV_|NX_|TURBO_|NODE_|npm_|CI$|FORCE_COLOR$)/;
  const kept = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return { ...Object.fromEntries(kept), NO_COLOR: "1" };
}

function hasPackages(folder) {
  return existsSync(join(folder, "packages"));
}

/** The native program; its npm shim costs a Node start more. */
function turboBinary() {
  const resolver = createRequire(createRequire(import.meta.url).resolve("turbo/package.json"));
  const platform = `${process.platform === "win32" ? "windows" : process.platform}-${process.arch === "x64" ? "64" : process.arch}`;
  return join(dirname(resolver.resolve(`@turbo/${platform}/package.json`)), "bin", "turbo");
}

/**
 * `npm run NAME` that executes the script without npm, so that turbo is not charged 150 ms per task for a launcher:
 * the script NAME stands in `scripts/NAME.sh` or, for the generated packages, in `build.sh`.
 */
function standInPackageManager() {
  const folder = join(workFolder, "stand-in");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "npm");
  writeFileSync(
    file,
    '#!/bin/sh\nfor name; do :; done\nif [ -f "scripts/$name.sh" ]; then exec sh "scripts/$name.sh"; fi\nexec sh build.sh\n',
  );
  chmodSync(file, 0o755);
  return folder;
}
