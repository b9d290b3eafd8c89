import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

/** A tenth of a second is usual; a command that somebody broke may hang. */
const maxRunMs = 60_000;
/** More than 32, from where on a run orders likely misses first. */
const tasks = 40;
const outputs = (task) => `out/${task}`;

/**
 * Runs a bundled command through what is to be quick (hits, outputs restored, one file changed, keys alone) and gives, for each chunk by file name, where the functions begin
 * that were called.
 * @param {string} app the command's package
 * @param {string} folder an empty folder to work in, with the bundle in `dist`
 * @throws when the command cannot be started or fails
 */
export async function profileCli(app, folder) {
  cpSync(join(app, "package.json"), join(folder, "package.json"));
  cpSync(join(app, "bin"), join(folder, "bin"), { recursive: true });
  symlinkSync(join(app, "node_modules"), join(folder, "node_modules"), "junction");
  const project = createProject(folder);
  const coverage = join(folder, "coverage");
  const run = (more = [], env = {}) => runCommand(folder, project, more, env);
  run();
  // What is younger than the clock's grain is not remembered; then it is, and is found.
  await wait(50);
  run();
  const profiled = (...more) => run(more, { NODE_V8_COVERAGE: coverage });
  profiled();
  profiled("--dry-run", "--json");
  rmSync(join(project, "out"), { recursive: true });
  profiled();
  appendFileSync(join(project, "src", "task-1.txt"), "changed\n");
  profiled();
  return calledFunctions(coverage);
}

function createProject(folder) {
  const project = join(folder, "project");
  mkdirSync(join(project, "src"), { recursive: true });
  const names = Array.from({ length: tasks }, (_, index) => `task-${index}`);
  for (const name of names) writeFileSync(join(project, "src", `${name}.txt`), `${name}\n`);
  const fields = names.map((name, index) => {
    const before = index === 0 ? "" : `dependencies: ["task-${(index - 1) >> 1}"], `;
    return `\t"${name}": {script: "mkdir -p ${outputs(name)}/deep && cp src/${name}.txt ${outputs(name)}/deep/", ${before}inputs: ["src/${name}.*"], outputs: ["${outputs(name)}"]}`;
  });
  writeFileSync(join(project, "env.cue"), `package env\n\ntasks: {\n${fields.join("\n")}\n}\n`);
  return project;
}

/** With a home and a temporary folder of its own: nothing of the machine's is read, and nothing is left. */
function runCommand(folder, project, more, env) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:CUENV_|NODE_|XDG_|GITHUB_|CI$)/.test(name),
  );
  const launcher = join(folder, "bin", "cuenv.js");
  const { error, status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [launcher, "task", "task-*", ...more],
    {
      cwd: project,
      env: { ...Object.fromEntries(kept), HOME: join(folder, "home"), TMPDIR: folder, ...env },
      encoding: "utf8",
      timeout: maxRunMs,
    },
  );
  if (error !== undefined) throw error;
  if (status !== 0)
    throw new Error(
      `${["cuenv task", ...more].join(" ")} ended with ${status ?? signal}: ${stdout}${stderr}`,
    );
}

function calledFunctions(coverage) {
  const starts = new Map();
  for (const file of readdirSync(coverage)) {
    for (const { url, functions } of JSON.parse(readFileSync(join(coverage, file), "utf8"))
      .result) {
      if (!/\/dist\/[^/]*\.js$/.test(url)) continue;
      const name = basename(url);
      if (!starts.has(name)) starts.set(name, new Set());
      for (const { ranges } of functions)
        if (ranges[0].count > 0) starts.get(name).add(ranges[0].startOffset);
    }
  }
  return starts;
}
