// `node test/bench/nx.mjs`: what @cuenv/nx costs, beside Nx without it: inference of 10, 100 and 1,000 projects; the overhead of a task in each mode, and by an
// executor of ours; restoring 1,000 files, beside Nx' own cache. One run, rounds interleaved: trust the ratios, not the milliseconds.
//   --rounds N  --only inference,tasks,restore  --json
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { parseArgs } from "node:util";
import { installedNx } from "../nx/nx-install.mjs";
import { measureWall } from "./measure.mjs";
import { plainEnvironment } from "./peers.mjs";
import { compare, printReport } from "./report.mjs";
import { workFolder } from "./work-folder.mjs";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "inference,tasks,restore" },
    json: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const folder = join(workFolder, "nx-plugin");
const taskCount = 20;
const fileCount = 1000;

const modules = await installedNx(24);
rmSync(folder, { recursive: true, force: true });
const wanted = options.only.split(",");
const rows = [];
if (wanted.includes("inference"))
  for (const count of [10, 100, 1000]) rows.push(...(await inference(count)));
if (wanted.includes("tasks")) rows.push(...(await overhead()));
if (wanted.includes("restore")) rows.push(...(await restore()));
printReport(rows, { json: options.json, gates: false });

/** `nx show projects`, with the projects in project.json files and no plugin, and inferred from env.cue. */
async function inference(count) {
  note(`inference of ${count} projects`);
  const names = Array.from({ length: count }, (_, index) => `p${index}`);
  const target = {
    command: "true",
    cache: true,
    inputs: ["{projectRoot}/src"],
    outputs: ["{projectRoot}/dist"],
  };
  const plain = workspace(
    `plain-${count}`,
    { plugins: [] },
    Object.fromEntries(
      names.map((name) => [
        `packages/${name}/project.json`,
        JSON.stringify({ name, targets: { build: target, test: target } }),
      ]),
    ),
  );
  const cue = `package cuenv\n\ntasks: {\n\tbuild: {command: "true", inputs: ["src"], outputs: ["dist"]}\n\ttest: {command: "true", inputs: ["src"], dependencies: ["build"]}\n}\n`;
  const files = Object.fromEntries(names.map((name) => [`packages/${name}/env.cue`, cue]));
  const inferred = workspace(`inferred-${count}`, {}, files);
  const times = table("project.json, no plugin", "cuenv", "first time");
  const withDaemon = table("project.json, no plugin", "cuenv");
  const rest = ["show", "projects"];
  // One evaluation of everything; the evaluator's compiled code is there from then on.
  const first = await inferred.nx(rest);
  for (let round = 0; round < rounds; round += 1) {
    times.get("project.json, no plugin").push(await plain.nx(rest));
    times.get("cuenv").push(await inferred.nx(rest));
  }
  for (let round = 0; round < (count === 1000 ? 0 : 2); round += 1) {
    rmSync(join(inferred.env.CUENV_CACHE_DIR, "v1", "workspaces"), {
      recursive: true,
      force: true,
    });
    times.get("first time").push(await inferred.nx(rest));
  }
  if (count === 1000) times.get("first time").push(first);
  for (const each of [plain, inferred]) await each.nx(rest, { NX_DAEMON: "true" });
  for (let round = 0; round < rounds; round += 1) {
    withDaemon.get("project.json, no plugin").push(await plain.nx(rest, { NX_DAEMON: "true" }));
    withDaemon.get("cuenv").push(await inferred.nx(rest, { NX_DAEMON: "true" }));
  }
  for (const each of [plain, inferred]) each.stop();
  return [
    ...compare(`${count} projects`, "nx show projects", times, {}, "ms"),
    ...compare(`${count} projects`, "nx show projects, daemon", withDaemon, {}, "ms"),
  ];
}

/** Twenty tasks that do nothing, one after the other, in each of the ways in which one can be run. */
async function overhead() {
  note("overhead of a task");
  const names = Array.from({ length: taskCount }, (_, index) => `p${index}`);
  const cue = (fields) => `package cuenv\n\ntasks: t: {command: "true"${fields}}\n`;
  const project = (name, target) => [
    `packages/${name}/project.json`,
    JSON.stringify({ name, targets: { t: target } }),
  ];
  const env = (fields) => names.map((name) => [`packages/${name}/env.cue`, cue(fields)]);
  const cached = ', inputs: ["src"], outputs: []';
  const ways = {
    "nx:run-commands, a shell": workspace(
      "shell",
      { plugins: [] },
      Object.fromEntries(names.map((name) => project(name, { command: "true" }))),
    ),
    // Mode nx-native.
    cuenv: workspace("native", {}, Object.fromEntries(env(cached))),
    "mode cuenv, miss": workspace("cuenv", { mode: "cuenv" }, Object.fromEntries(env(cached))),
    "mode cuenv, hit": workspace("cuenv-hit", { mode: "cuenv" }, Object.fromEntries(env(cached))),
    "executor @cuenv/nx:task": workspace(
      "executor",
      {},
      Object.fromEntries([
        ...env(cached),
        ...names.map((name) => project(name, { executor: "@cuenv/nx:task", cache: true })),
      ]),
    ),
  };
  const times = table(...Object.keys(ways));
  const args = (count) => [
    "run-many",
    "-t",
    "t",
    "--parallel=1",
    "--skip-nx-cache",
    ...(count === 1 ? ["-p", "p0"] : []),
  ];
  for (const way of Object.values(ways)) await way.nx(args(taskCount));
  for (let round = 0; round < rounds; round += 1)
    for (const [name, way] of Object.entries(ways)) {
      const forget = () => {
        if (name === "mode cuenv, miss")
          rmSync(join(way.env.CUENV_CACHE_DIR, "v1", "ac"), { recursive: true, force: true });
      };
      forget();
      const all = await way.nx(args(taskCount));
      forget();
      const one = await way.nx(args(1));
      times.get(name).push((all - one) / (taskCount - 1));
    }
  return compare("one task more", `of ${taskCount}, one at a time`, times, {}, "ms");
}

/** A thousand small files: from Nx' own cache, through the bridge with Nx' cache gone (cuenv), and in mode cuenv. */
async function restore() {
  note("restoring 1,000 files");
  const script = `mkdir -p dist && for i in $(seq ${fileCount}); do echo "$i" > dist/file-$i; done`;
  const files = {
    "packages/a/env.cue": `package cuenv\n\ntasks: build: {command: ${JSON.stringify(script)}, inputs: ["src"], outputs: ["dist"]}\n`,
  };
  const native = workspace("restore-native", {}, files);
  const bridge = workspace("restore-bridge", {}, files);
  const own = workspace("restore-cuenv", { mode: "cuenv" }, files);
  const build = ["run", "a:build"];
  const times = table("Nx' own cache", "cuenv", "mode cuenv");
  const warm = table("Nx' own cache", "cuenv", "mode cuenv");
  for (const each of [native, bridge, own]) await each.nx(build);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, each] of [
      ["Nx' own cache", native],
      ["cuenv", bridge],
      ["mode cuenv", own],
    ]) {
      const forget = () => {
        if (each === bridge) each.forget();
      };
      rmSync(join(each.root, "packages/a/dist"), { recursive: true });
      forget();
      times.get(name).push(await each.nx(build));
      forget();
      warm.get(name).push(await each.nx(build));
    }
  }
  return [
    ...compare("1,000 files", "outputs deleted", times, {}, "ms"),
    ...compare("1,000 files", "outputs in place", warm, {}, "ms"),
  ];
}

function workspace(title, pluginOptions, files) {
  const base = join(folder, title);
  const root = join(base, "work");
  const write = (path, text) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("package.json", '{"name":"work","private":true,"workspaces":["packages/*"]}');
  write(".gitignore", "node_modules\n.nx\ndist\n");
  const { plugins = [{ plugin: "@cuenv/nx", options: pluginOptions }] } = pluginOptions;
  write("nx.json", JSON.stringify({ plugins, neverConnectToCloud: true, analytics: false }));
  for (const [path, text] of Object.entries(files)) {
    write(path, text);
    write(join(dirname(path), "src", "in.txt"), "1");
  }
  symlinkSync(modules, join(root, "node_modules"));
  spawnSync("git", ["init", "-q"], { cwd: root });
  const cache = join(base, "nx-cache");
  const data = join(base, "nx-data");
  const env = {
    ...plainEnvironment(),
    CUENV_CACHE_DIR: join(base, "cuenv"),
    NX_CACHE_DIRECTORY: cache,
    NX_WORKSPACE_DATA_DIRECTORY: data,
    NX_DAEMON: "false",
    NX_TUI: "false",
    NX_NO_UPDATE_NOTIFIER: "true",
  };
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  const argv = (args) => [process.execPath, join(modules, "nx", "dist", "bin", "nx.js"), ...args];
  return {
    root,
    env,
    async nx(args, more = {}) {
      const { wallMs } = await measureWall({
        argv: argv(args),
        cwd: root,
        env: { ...env, ...more },
      });
      return wallMs;
    },
    /** Nx' results and the database of them; what it knows of the files and projects stays. */
    forget() {
      rmSync(cache, { recursive: true, force: true });
      mkdirSync(cache, { mode: 0o700 });
      for (const file of readdirSync(data))
        if (file.includes(".db")) rmSync(join(data, file), { force: true });
    },
    stop() {
      const [program, ...args] = argv(["daemon", "--stop"]);
      spawnSync(program, args, { cwd: root, env: { ...env, NX_DAEMON: "true" }, stdio: "ignore" });
    },
  };
}

function table(...names) {
  return new Map(names.map((name) => [name, []]));
}

function note(text) {
  process.stderr.write(`${text}\n`);
}
