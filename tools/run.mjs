// Plain ES2020 without dependencies: this file must start on the oldest Node we meet (20).
// `node tools/run.mjs [script] [args…]` installs the workspace with the pinned pnpm when its inputs
// changed, then runs the package.json script under the Node that the lockfile pins.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => join(root, ...parts);
const read = (...parts) => (existsSync(at(...parts)) ? readFileSync(at(...parts), "utf8") : "");
const windows = process.platform === "win32";
const [script, ...args] = process.argv.slice(2);
const pnpmSpec = JSON.parse(read("package.json")).packageManager.replace(/\+.*$/, "");
const pnpmBin = at("node_modules", ".bin", windows ? "pnpm.cmd" : "pnpm");
const stampFile = at("node_modules", ".setup-stamp");

/** What children see: workspace bins first, none of the outer npm's npm_* variables. */
function childEnv(extra) {
  const outer = /^(npm_(package|lifecycle|command|execpath|node_execpath)|NODE$|INIT_CWD$)/;
  const outerConfig =
    /^npm_config_(user_agent|local_prefix|global_prefix|prefix|node_gyp|noproxy|init_module)$/;
  const env = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (!outer.test(name) && !outerConfig.test(name)) env[name] = value;
  }
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === "PATH") || "PATH";
  env[pathName] = [at("node_modules", ".bin"), env[pathName] || ""].join(delimiter);
  return Object.assign(env, { TURBO_TELEMETRY_DISABLED: "1" }, extra);
}

/** Every manifest counts: a package that gained a dependency needs an install as well. */
function installInputs() {
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"];
  for (const folder of ["packages", "apps", "tools", "examples"]) {
    for (const name of existsSync(at(folder)) ? readdirSync(at(folder)).toSorted() : []) {
      files.push(`${folder}/${name}/package.json`);
    }
  }
  return files.map((file) => `${file}\0${read(file)}`).join("\0");
}

function install() {
  const want = createHash("sha256")
    .update(`${process.platform}-${process.arch}\0${installInputs()}`)
    .digest("hex");
  if (read("node_modules", ".setup-stamp") === want && existsSync(pnpmBin)) return;
  const started = Date.now();
  console.error(
    `Setting up: installing the pinned tools with ${pnpmSpec} (first time: under a minute, needs the network) …`,
  );
  const flags = ["install", "--frozen-lockfile", "--reporter=append-only"];
  const installed = read("node_modules", "pnpm", "package.json");
  const local =
    installed && existsSync(pnpmBin) && `pnpm@${JSON.parse(installed).version}` === pnpmSpec;
  const command = local
    ? [pnpmBin, ...flags]
    : ["npx", "-y", "--prefer-offline", pnpmSpec, ...flags];
  const result = spawnSync(command[0], command.slice(1), {
    cwd: root,
    env: childEnv({
      CI: "true",
      npm_config_loglevel: "error",
      npm_config_update_notifier: "false",
    }),
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    shell: windows,
  });
  if (result.status !== 0) {
    const trouble = result.error ? `${result.error.message}\n` : "";
    process.stderr.write(`${result.stdout || ""}${result.stderr || ""}${trouble}`);
    console.error(
      `\nSet-up failed (output above). To repeat it by hand: npx -y ${pnpmSpec} install --frozen-lockfile`,
    );
    process.exit(result.status || 1);
  }
  writeFileSync(stampFile, want);
  console.error(`Set up in ${((Date.now() - started) / 1000).toFixed(1)} s.\n`);
}

/** `node_modules/.bin/cuenv` runs a bundle of the working tree; make it here once, so that its first use is quick. */
function buildCommand() {
  const result = spawnSync("node", [at("tools", "build-cli.mjs"), "--if-stale"], {
    cwd: root,
    env: childEnv(),
    stdio: ["ignore", "inherit", "inherit"],
    shell: windows,
  });
  // A script that needs it will say so again, and the others (types, unit tests) say more about what is wrong.
  if (result.status !== 0 && !script) process.exit(result.status || 1);
}

install();
buildCommand();
if (script) {
  const child = spawn(pnpmBin, ["--silent", "run", script, ...args], {
    cwd: root,
    stdio: "inherit",
    env: childEnv(),
    shell: windows,
  });
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    throw error;
  });
  child.on("exit", (code, signal) => {
    for (const name of signals) process.removeAllListeners(name);
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code;
  });
}
