import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../tools/workspace.mjs";
import { measureWall } from "./measure.mjs";
import { plainEnvironment } from "./peers.mjs";
import { compare } from "./report.mjs";
import { workFolder } from "./work-folder.mjs";

const folder = join(workFolder, "start");
const launcher = join(root, "apps", "cli", "bin", "cuenv.js");

/** What the command costs beside a Node process that does the same without it. */
export async function startRows(rounds) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "empty.mjs"), "");
  writeFileSync(
    join(folder, "bare.mjs"),
    'import { spawnSync } from "node:child_process";\nspawnSync("true", { stdio: "inherit" });\n',
  );
  writeFileSync(
    join(folder, "env.cue"),
    'package cuenv\n\ntasks: {off: {command: "true", inputs: [], outputs: []}, uncached: {command: "true", cache: false}}\n',
  );
  const env = { ...plainEnvironment(), CUENV_CACHE_DIR: join(folder, "cache") };
  const node = (...args) => ({ argv: [process.execPath, ...args], cwd: folder, env });
  const off = { ...node(launcher, "task", "off"), env: { ...env, CUENV_CACHE: "off" } };
  // Makes the compile cache and remembers the evaluated env.cue, as any earlier use did.
  await measureWall(node(launcher, "task", "off"));
  const uncached = node(launcher, "task", "uncached");
  const version = await interleave(rounds, {
    cuenv: node(launcher, "--version"),
    "empty node": node("empty.mjs"),
  });
  // With the cache off the configuration is evaluated each time: nothing is read of what was remembered. The other row is without that.
  const withoutCache = await interleave(rounds, {
    cuenv: uncached,
    // The same program from the same configuration, and no cache anywhere near it.
    "cuenv exec": node(launcher, "exec", "--", "true"),
    "node, spawn": node("bare.mjs"),
  });
  const cacheOff = await interleave(rounds, { cuenv: off, "node, spawn": node("bare.mjs") });
  return [
    ...compare(
      "start",
      "cuenv --version",
      version,
      { "empty node": { target: 1.25, gate: 1.6 } },
      "ms",
    ),
    ...compare("start", "one task that is not cached", withoutCache, {}, "ms"),
    ...compare("start", "one task, CUENV_CACHE=off", cacheOff, {}, "ms"),
  ];
}

async function interleave(rounds, commands) {
  const times = new Map(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, command] of Object.entries(commands)) {
      times.get(name).push((await measureWall(command)).wallMs);
    }
  }
  return times;
}
