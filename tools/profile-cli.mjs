import { spawn } from "node:child_process";
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
 * that were called, in ascending order.
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
  await run();
  // What is younger than the clock's grain is not remembered; then it is, and is found.
  await wait(50);
  await run();
  const profiled = (...more) => run(more, { NODE_V8_COVERAGE: coverage });
  await profiled();
  await profiled("--dry-run", "--json");
  rmSync(join(project, "out"), { recursive: true });
  await profiled();
  appendFileSync(join(project, "src", "task-1.txt"), "changed\n");
  await profiled();
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
async function runCommand(folder, project, more, env) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:CUENV_|NODE_|XDG_|GITHUB_|CI$)/.test(name),
  );
  const child = spawn(
    process.execPath,
    [join(folder, "bin", "cuenv.js"), "task", "task-*", ...more],
    {
      cwd: project,
      env: {
        ...Object.fromEntries(kept),
        HOME: join(folder, "home"),
        TMPDIR: folder,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: maxRunMs,
    },
  );
  const chunks = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => chunks.push(chunk));
  const ended = await new Promise((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done(code ?? signal));
  });
  if (ended !== 0)
    throw new Error(
      `${["cuenv task", ...more].join(" ")} ended with ${ended}: ${Buffer.concat(chunks).toString()}`,
    );
}

function calledFunctions(coverage) {
  const starts = new Map();
  for (const file of readdirSync(coverage)) {
    for (const { url, functions } of JSON.parse(readFileSync(join(coverage, file), "utf8"))
      .result) {
      if (!/\/dist\/[^/]*\.js$/.test(url)) continue;
      const name = basename(url);
      const called = functions.map(({ ranges }) => ranges[0]).filter(({ count }) => count > 0);
      starts.set(name, [
        ...(starts.get(name) ?? []),
        ...called.map(({ startOffset }) => startOffset),
      ]);
    }
  }
  return new Map(
    [...starts].map(([name, all]) => [
      name,
      [...new Set(all)].toSorted((left, right) => left - right),
    ]),
  );
}
