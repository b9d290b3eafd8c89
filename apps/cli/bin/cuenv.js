#!/usr/bin/env node
// The published launcher. Plain ES2020: it must start on the oldest Node that somebody has, to say what is needed.
/**
 * Of what is imported, Node makes a module with all its exports, which takes longer than what is done here; before 20.16 there is no other way.
 * @type {(name: string) => any}
 */
const builtin = (name) => process.getBuiltinModule?.(name) ?? import(name);
const { closeSync, existsSync, lstatSync, openSync, statSync } = await builtin("node:fs");
const nodeModule = await builtin("node:module");
const { homedir } = await builtin("node:os");
const { dirname, isAbsolute, join } = await builtin("node:path");

const needed = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  delete process.env.CUENV_LAUNCHED;
  const compiledCode = keepCompiledCode();
  const { main } = await import("../dist/main.js");
  await main(process.argv.slice(2), compiledCode);
} else {
  await runWithNewerNode();
}

/**
 * V8's compiled code is kept in the cache folder, never in the temporary folder. Only where a run that may write there made a folder for it:
 * with the cache off nothing may be made on disk.
 */
function keepCompiledCode() {
  const env = process.env;
  // Without a command (`--version`) too little is loaded to be worth it.
  if (process.argv.slice(2).every((arg) => arg.startsWith("-"))) return undefined;
  if (
    nodeModule.enableCompileCache === undefined ||
    env.NODE_COMPILE_CACHE ||
    env.NODE_DISABLE_COMPILE_CACHE ||
    isCacheOff(env) ||
    // Compiled code cannot be signed: where others' cache folders are expected to come in, none is taken from there.
    env.CUENV_SIGNING_KEY ||
    env.CUENV_SIGNING_KEY_FILE ||
    // White space around it does not count there, either.
    /^\s*(?:required|ci-only)\s*$/i.test(env.CUENV_TRUST || "")
  )
    return undefined;
  const root = env.CUENV_CACHE_DIR || join(env.XDG_CACHE_HOME || join(home(), ".cache"), "cuenv");
  // Of a relative $HOME or $XDG_CACHE_HOME the command makes nothing.
  if (!env.CUENV_CACHE_DIR && !isAbsolute(root)) return undefined;
  const folder = join(root, "v1", "compile-cache");
  if (!existsSync(folder)) return { missingFolder: folder, discard: () => undefined };
  // Compiled code is code: it is taken from folders only that nobody else can write to.
  if (![root, join(root, "v1"), folder].every(isOurs)) return undefined;
  return { missingFolder: undefined, discard: enableCompiledCode(folder) };
}

/** Of a user without an account the system knows none. */
function home() {
  try {
    return homedir();
  } catch {
    return "";
  }
}

/**
 * Node writes at its end, and cannot be told later not to. So it is given the folder by a descriptor, where that can be: once that is closed
 * there is nowhere to write to. Gives what does that.
 */
function enableCompiledCode(folder) {
  if (process.platform === "linux") {
    try {
      const descriptor = openSync(folder, "r");
      nodeModule.enableCompileCache(`/proc/self/fd/${descriptor}`);
      return () => closeSync(descriptor);
    } catch {
      return () => undefined; // No descriptor left.
    }
  }
  nodeModule.enableCompileCache(folder);
  return () => undefined;
}

/** As far as the command line and the environment say: neither is checked here, what is wrong with them is told later. */
function isCacheOff(env) {
  const off = /^off$/i;
  const args = process.argv.slice(2);
  const end = args.indexOf("--");
  const mode = (end === -1 ? args : args.slice(0, end)).reduce((found, arg, index, all) => {
    if (arg === "--cache") return all[index + 1] || "";
    return arg.startsWith("--cache=") ? arg.slice(8) : found;
  }, env.CUENV_CACHE || "");
  return off.test(mode) || /^(?:false|0|no|off)$/i.test(env.CUENV_CACHE_ENABLED || "");
}

function isOurs(folder) {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || process.geteuid === undefined) return stat !== undefined;
  return stat.uid === process.geteuid() && (stat.mode & 0o022) === 0;
}

/** An older Node often stands beside a newer one that the project itself installed. */
async function runWithNewerNode() {
  for (let folder = process.cwd(), last = ""; folder !== last && !process.env.CUENV_LAUNCHED;) {
    const node = join(folder, "node_modules", ".bin", "node");
    if (existsSync(node) && !(isShared(folder) && isOfOthers(node))) {
      const exitCode = await runAgainWith(node);
      if (exitCode !== undefined) process.exit(exitCode);
    }
    last = folder;
    folder = dirname(folder);
    if (isShared(folder)) break;
  }
  const version = nodeModule.createRequire(import.meta.url)("../package.json").version;
  console.error(
    `error: cuenv ${version} needs Node ${needed.join(".")} or newer, and this is Node ${process.versions.node}.\n` +
      "hint: install a newer Node, or bring one with the project: npm install --save-dev node@24",
  );
  process.exit(70);
}

/** All users put things into it, as into /tmp: whoever put a `node` there would have everybody who works below it run that. */
function isShared(folder) {
  const stat = statSync(folder, { throwIfNoEntry: false });
  return stat !== undefined && (stat.mode & 0o1002) === 0o1002;
}

/** The search may begin in a shared folder. Each of the folders, the link and what it leads to has an owner. */
function isOfOthers(node) {
  const folder = dirname(node);
  const stats = [dirname(folder), folder, node].map((path) => lstatSync(path));
  return [...stats, statSync(node)].some(({ uid }) => uid !== process.geteuid?.() && uid !== 0);
}

/**
 * The exit code of this command under another Node, 128+n when signal n ended it; undefined when it cannot be started. Signals are
 * passed on, and we stay until it has ended: it may have tasks to end.
 */
async function runAgainWith(node) {
  const { spawn } = await builtin("node:child_process");
  const { constants } = await builtin("node:os");
  const env = { ...process.env, CUENV_LAUNCHED: "1" };
  const child = spawn(node, process.argv.slice(1), { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"])
    process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", () => resolve(undefined));
    child.on("exit", (code, signal) =>
      resolve(signal === null ? code : 128 + constants.signals[signal]),
    );
  });
}
