#!/usr/bin/env node
// The published launcher. Plain ES2020: it must start on the oldest Node that somebody has, to say what is needed.
import { existsSync, statSync } from "node:fs";
import * as nodeModule from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";

const needed = [22, 18];
const [major, minor] = process.versions.node.split(".").map(Number);

if (major > needed[0] || (major === needed[0] && minor >= needed[1])) {
  keepCompiledCode();
  const { main } = await import("../dist/main.js");
  await main(process.argv.slice(2));
} else {
  await runWithNewerNode();
}

/**
 * V8's compiled code is kept in the cache folder, never in the temporary folder. Only where that folder exists:
 * with the cache off nothing may be made on disk.
 */
function keepCompiledCode() {
  const env = process.env;
  if (
    nodeModule.enableCompileCache === undefined ||
    env.NODE_COMPILE_CACHE ||
    env.NODE_DISABLE_COMPILE_CACHE
  )
    return;
  const folder =
    env.CUENV_CACHE_DIR || join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "cuenv");
  const off = (env.CUENV_CACHE || "").toLowerCase() === "off";
  // Compiled code is code: it is taken from folders only that nobody else can write to.
  if (!off && isOurs(folder) && isOurs(join(folder, "v1"))) {
    nodeModule.enableCompileCache(join(folder, "v1", "compile-cache"));
  }
}

function isOurs(folder) {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (stat === undefined || process.geteuid === undefined) return stat !== undefined;
  return stat.uid === process.geteuid() && (stat.mode & 0o022) === 0;
}

/** An older Node often stands beside a newer one that the project itself installed. */
async function runWithNewerNode() {
  const { spawnSync } = await import("node:child_process");
  for (
    let folder = process.cwd(), last = "";
    folder !== last;
    last = folder, folder = dirname(folder)
  ) {
    const node = join(folder, "node_modules", ".bin", "node");
    if (!existsSync(node) || process.env.CUENV_LAUNCHED) continue;
    const env = { ...process.env, CUENV_LAUNCHED: "1" };
    const child = spawnSync(node, process.argv.slice(1), { stdio: "inherit", env });
    if (child.error === undefined) process.exit(child.status === null ? 70 : child.status);
  }
  const version = nodeModule.createRequire(import.meta.url)("../package.json").version;
  console.error(
    `error: cuenv ${version} needs Node ${needed.join(".")} or newer, and this is Node ${process.versions.node}.\n` +
      "hint: install a newer Node, or bring one with the project: npm install --save-dev node@24",
  );
  process.exit(70);
}
