// `npm run demo`: a real library, built through the cache: cold, warm, with its outputs deleted, with one file
// edited. What it prints is what the command prints. It is a test as well: it fails when a run does something else
// than it should. `--out DIR` puts it elsewhere.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, join, relative, resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { parseArgs, stripVTControlCharacters, styleText } from "node:util";
import { ensureBuilt } from "./build-cli.mjs";
import { preparePlainProject } from "./prepare-plain-project.mjs";
import { root } from "./workspace.mjs";

const { values } = parseArgs({ options: { out: { type: "string", default: join(root, "demo") } } });
const out = resolve(values.out);
const project = join(out, "plain-project");
const cacheDir = join(out, "cache");
/** The key that results are signed with lies there, so that the demo leaves nothing in the home folder. */
const stateHome = join(out, "state");
const near = relative(process.cwd(), project);
const shown = near.startsWith("..") ? project : near;
const edited = "src/v4/core/util.ts";
const cached = ["typecheck", "lint", "compile", "test:unit", "bundle", "test:package", "size"];
const paint = (style, text) => styleText(style, text, { stream: process.stdout });
const runs = [];
let wrong = 0;

await ensureBuilt();
rmSync(cacheDir, { recursive: true, force: true });
preparePlainProject(project);
say(`The project: zod, a library of 38 000 lines of TypeScript, built from its
sources in ${shown}. What is done is written in its env.cue: type check,
lint, compile, 295 of its own tests, bundles, tests of what was built, sizes.`);

await run("cold", "1. A first run. The cache is empty, so everything runs.", { ran: cached });
await run("nothing changed", "2. The same again. Nothing changed, so nothing runs.", { ran: [] });

const outputs = ["dist", "bundle", "report"];
const before = read("bundle/zod.js");
for (const folder of outputs) rmSync(join(project, folder), { recursive: true, force: true });
await run(
  "outputs deleted",
  `3. All outputs deleted (${outputs.join(", ")}), as in a fresh clone:\n   they are restored.`,
  { ran: [] },
);
expect(
  before !== undefined && before === read("bundle/zod.js"),
  "the restored bundle differs from the one that was built",
);

const original = read(edited);
writeFileSync(join(project, edited), `// A comment, added by the demo.\n${original}`);
await run(
  "a comment added",
  `4. One comment added to ${edited}. What reads the sources runs
   again, but the compiled library comes out the same: what is made from it
   need not run.`,
  { ran: ["typecheck", "lint", "compile", "test:unit"], reason: edited },
);

writeFileSync(join(project, edited), original);
await run("edit undone", "5. The comment taken away again. These results are still there.", {
  ran: [],
});

finish();

/** Runs everything, shows what it prints about the cache, and compares which tasks ran with what should have. */
async function run(name, text, expected) {
  say(`\n${paint("bold", text)}\n${paint("dim", `$ cuenv task check`)}`);
  const since = performance.now();
  const { code, lines } = await cuenv(["task", "check"]);
  const ms = performance.now() - since;
  const { ran, hits } = outcomes(lines);
  runs.push({ name, ran: ran.length, hits: hits.length, ms });
  expect(code === 0, `exit code ${code}`);
  expect(same(ran, expected.ran), `ran ${list(ran)}; should have run ${list(expected.ran)}`);
  expect(
    same(
      hits,
      cached.filter((task) => !expected.ran.includes(task)),
    ),
    `took ${list(hits)} from the cache`,
  );
  if (expected.reason)
    expect(
      lines.some((line) => line.includes(expected.reason)),
      "the reason of a miss was not said",
    );
}

/** Runs the command in the project. Shows what it says itself; what the tasks print only if it fails. */
function cuenv(args) {
  return new Promise((done, fail) => {
    const child = spawn("cuenv", args, {
      cwd: project,
      env: environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    const own = [];
    const hidden = [];
    createInterface({ input: child.stdout }).on("line", (line) => hidden.push(line));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const plain = stripVTControlCharacters(line);
      if (!/^(?:cuenv|warning|error|hint)\b/.test(plain)) hidden.push(line);
      else {
        own.push(plain);
        say(line);
      }
    });
    child.on("error", fail);
    child.on("close", (code) => {
      if (code !== 0) say(hidden.join("\n"));
      done({ code, lines: own });
    });
  });
}

/** Which tasks ran and which were hits, from what the command said. */
function outcomes(lines) {
  const ran = [];
  const hits = [];
  for (const line of lines) {
    const match = /^cuenv (\S+): (ran in|hit)\b/.exec(line);
    if (match) (match[2] === "hit" ? hits : ran).push(match[1]);
  }
  return { ran, hits };
}

/** A user's environment, without what an outer cuenv or test run set. */
function environment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:CUENV_|NODE_OPTIONS$)/.test(name),
  );
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const color = process.stdout.isTTY && !process.env.NO_COLOR ? { FORCE_COLOR: "1" } : {};
  return {
    ...Object.fromEntries(kept),
    ...color,
    PATH: path,
    CUENV_CACHE_DIR: cacheDir,
    XDG_STATE_HOME: stateHome,
  };
}

function finish() {
  const slowest = runs[0].ms;
  const rows = runs.map(({ name, ran, hits, ms }) => [
    name,
    String(ran),
    String(hits),
    `${(ms / 1000).toFixed(2)} s`,
    `${Math.round((100 * ms) / slowest)} %`,
  ]);
  say(`\n${paint("bold", "Side by side")}`);
  for (const [name, ...cells] of [["run", "ran", "from cache", "time", "of cold"], ...rows]) {
    say(`  ${name.padEnd(18)}${cells.map((cell) => cell.padStart(12)).join("")}`);
  }
  if (wrong > 0) {
    process.stderr.write(`\n${wrong} expectations did not hold (said above)\n`);
    process.exitCode = 1;
    return;
  }
  say(`
${paint("bold", "Next")}
  The project stays in ${shown}. To play with it:
    cd ${shown}
    export CUENV_CACHE_DIR=${fromProject(cacheDir)} XDG_STATE_HOME=${fromProject(stateHome)}
    npx cuenv task                   list its tasks
    npx cuenv task test:unit         run one; its output comes from the cache
    npx cuenv task check -v          say more
    npx cuenv cache stats            what the cache did and holds
  Change something, and see what runs again. For a project of your own, see
  the quick start in README.md.`);
}

/** As it is written after the `cd` into the project. */
function fromProject(folder) {
  return relative(process.cwd(), folder).startsWith("..") ? folder : `$PWD/../${basename(folder)}`;
}

function read(file) {
  const path = join(project, file);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

function say(text) {
  process.stdout.write(`${text}\n`);
}

function expect(holds, otherwise) {
  if (holds) return;
  wrong += 1;
  process.stderr.write(`${paint("red", "unexpected")}: ${otherwise}\n`);
}

function same(left, right) {
  return left.toSorted().join() === right.toSorted().join();
}

function list(tasks) {
  return tasks.length === 0 ? "nothing" : tasks.join(", ");
}
