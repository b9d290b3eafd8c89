import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { withLock } from "./with-lock.mjs";
import { root } from "./workspace.mjs";

/** 40 MB; with a cold npm cache and two at once it takes minutes. */
const patienceMs = 10 * 60_000;

/**
 * The `node` of another version than the one of the lockfile, from the npm package that brings it, installed once below `.cache`.
 * @param {string} version
 * @throws {Error} when there is none to be had, with what npm says
 */
export async function installedNode(version) {
  const folder = join(root, ".cache", "node");
  const place = join(folder, version);
  const name = `node-${process.platform}-${process.arch}`;
  const program = join(place, "node_modules", name, "bin", "node");
  mkdirSync(folder, { recursive: true });
  await withLock(join(folder, `${version}.lock`), patienceMs, () => {
    if (existsSync(program)) return;
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "package.json"), '{"name":"node","private":true}\n');
    const flags = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"];
    const { status, stderr } = spawnSync("npm", ["install", ...flags, `${name}@${version}`], {
      cwd: place,
      encoding: "utf8",
      timeout: patienceMs,
    });
    if (status !== 0 || !existsSync(program))
      throw new Error(`there is no ${name}@${version} to be had: ${stderr}`);
  });
  return program;
}
