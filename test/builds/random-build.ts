import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createSandbox, type Outcome, type Sandbox } from "../e2e/sandbox.ts";
import type { TaskRow } from "../e2e/run-json.ts";
import {
  type Expected,
  expect as expectedOf,
  fullName,
  type ModelTask,
  sorted,
  taskOf,
  type World,
} from "./build-model.ts";
import { damageOutput, filesOf, writeWorld } from "./checkout.ts";
import { type Random, randomFrom } from "./random.ts";
import { editWorld, randomWorld } from "./random-world.ts";

interface Checkout {
  readonly name: string;
  readonly sandbox: Sandbox;
  /** Of its cache folder. */
  readonly stored: Stored;
  readonly env: Readonly<Record<string, string>>;
  world: World;
}

/** What a cache folder may hold, or the remote cache behind it. */
interface Stored {
  /** States whose results are there, and whole. */
  readonly certain: Set<string>;
  /** Of these nobody knows: something was damaged, or edited while it ran, or another machine sent it. */
  readonly possible: Set<string>;
  damaged: boolean;
}

interface Build {
  readonly random: Random;
  readonly checkouts: readonly Checkout[];
  readonly hasRemote: boolean;
  /** What was done, for who has to find out why it failed. */
  readonly log: string[];
}

interface Asked {
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly reads: boolean;
  readonly writes: boolean;
  /** The named tasks run in any case. */
  readonly isForced: boolean;
}

/** Where the checkouts' remote cache is. */
export interface Remote {
  readonly CUENV_REMOTE_CACHE_ENDPOINT: string;
  readonly CUENV_REMOTE_CACHE_AUTH_TOKEN: string;
}

/**
 * Edits and builds a random project `steps` times, in two checkouts with one cache folder, or with one of their own and a remote cache, and compares each run with the model: outputs
 * are what the tasks make of their inputs, nothing hits that was not stored from the same inputs, what was stored hits, and a dry run foretold it.
 * @throws with the steps that led there
 */
export async function randomBuild(seed: number, steps: number, remote?: Remote): Promise<void> {
  const random = randomFrom(seed);
  const world = randomWorld(random, `${seed}`);
  const sandbox = createSandbox({});
  const other = createSandbox({}, { beside: sandbox, name: "other" });
  const stored = newStored();
  const apart = {
    stored: newStored(),
    env: { ...remote, CUENV_CACHE_DIR: join(other.root, "../other-cache") },
  };
  const checkouts: readonly Checkout[] = [
    { name: "A", sandbox, world, stored, env: { ...remote } },
    { name: "B", sandbox: other, world, ...(remote === undefined ? { stored, env: {} } : apart) },
  ];
  for (const each of checkouts) writeWorld(each.sandbox, world);
  const build: Build = { random, checkouts, hasRemote: remote !== undefined, log: [] };
  try {
    for (let step = 0; step < steps; step += 1) await randomStep(build);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}:\n  ${build.log.join("\n  ")}\n${said}`, { cause });
  }
}

function newStored(): Stored {
  return { certain: new Set(), possible: new Set(), damaged: false };
}

async function randomStep(build: Build): Promise<void> {
  const { random, checkouts } = build;
  const checkout = random.pick(checkouts);
  for (let edits = random.below(4); edits > 0; edits -= 1) edit(build, checkout);
  if (random.percent(35)) damageOutputs(build, checkout);
  if (random.percent(8)) damageCache(build, checkout);
  const kind = random.below(100);
  if (kind < 12) return editWhileItRuns(build, checkout);
  if (kind < 22) {
    build.log.push("at once:");
    const runs = checkouts.map((each) => foretellAndRun(build, each, ask(build, each), false));
    check(build, await Promise.all(runs));
    return;
  }
  const asked = ask(build, checkout);
  const isForetold = asked.reads && !checkout.stored.damaged;
  check(build, [await foretellAndRun(build, checkout, asked, isForetold)]);
}

function edit({ random, log }: Build, checkout: Checkout): void {
  const { world, what } = editWorld(random, checkout.world);
  writeWorld(checkout.sandbox, world, checkout.world);
  checkout.world = world;
  log.push(`${checkout.name}: ${what}`);
}

function damageOutputs({ random, log }: Build, { name, sandbox, world }: Checkout): void {
  const made = [...expectedOf(world).values()].flatMap(({ outputs }) => [...outputs.keys()]);
  if (random.percent(30)) {
    sandbox.remove("out");
    log.push(`${name}: remove out`);
    return;
  }
  for (const path of random.some([...made, "out/t0/more/file", "out/t1-more.txt"], 3)) {
    const how = random.pick(["remove", "edit", "folder"] as const);
    if (how === "edit" && !sandbox.exists(path) && !path.includes("more")) continue;
    try {
      damageOutput(sandbox, path, how);
    } catch {
      continue; // a file where a folder would have to be
    }
    log.push(`${name}: ${how} ${path}`);
  }
}

/** Takes something out of the cache folder, or changes it. */
function damageCache({ random, log }: Build, { sandbox, stored, env }: Checkout): void {
  const place = random.pick(["cas", "ac", "workspaces", ""]);
  const folder = env["CUENV_CACHE_DIR"] ?? sandbox.cacheDir;
  const root = join(folder, "v1", place);
  let files: string[];
  try {
    files = readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch {
    return;
  }
  if (files.length === 0) return;
  const file = random.pick(files);
  const how = random.pick(["remove", "cut", "flip", "all"]);
  const bytes = readFileSync(file);
  if (how === "remove") rmSync(file);
  else if (how === "all") rmSync(root, { recursive: true });
  else if (how === "cut") writeFileSync(file, bytes.subarray(0, random.below(bytes.length + 1)));
  else {
    const at = random.below(Math.max(1, bytes.length));
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  }
  for (const state of stored.certain) stored.possible.add(state);
  stored.certain.clear();
  stored.damaged = true;
  log.push(`cache: ${how} ${file.slice(folder.length)}`);
}

function ask({ random, hasRemote }: Build, { world }: Checkout): Asked {
  const all = [...world.tasks.values()];
  const some = random.some(all, 3);
  const names = random.percent(20) || some.length === 0 ? all : some;
  const mode = random.percent(75)
    ? "read-write"
    : random.pick(["read", "write", "off", "read-write"]);
  const isForced = random.percent(6);
  return {
    names: names.map(fullName),
    args: [
      ...(mode === "read-write" ? [] : ["--cache", mode]),
      ...(isForced ? ["--force"] : []),
      ...(hasRemote && random.percent(50)
        ? [`--download=${random.pick(["none", "toplevel"])}`]
        : []),
      ...(random.percent(50) ? ["--jobs", String(1 + random.below(4))] : []),
    ],
    reads: mode === "read" || mode === "read-write",
    isForced,
    writes: mode === "write" || mode === "read-write",
  };
}

interface Report {
  readonly code: number | null;
  readonly stderr: string;
  readonly rows: readonly TaskRow[];
}

function reportOf({ code, stdout, stderr }: Outcome): Report {
  if (!stdout.startsWith('{"version":1,'))
    throw new Error(`no report, exit code ${code}: ${stdout}${stderr}`);
  return { code, stderr, rows: (JSON.parse(stdout) as { tasks: TaskRow[] }).tasks };
}

async function run(checkout: Checkout, asked: Asked, ...more: readonly string[]): Promise<Report> {
  const args = ["task", ...asked.names, ...asked.args, "--json", ...more];
  return reportOf(
    await checkout.sandbox.cuenv(args, { env: { ...checkout.env, ...checkout.world.host } }),
  );
}

/** A run, and what is to be said of it. */
interface Ran {
  readonly checkout: Checkout;
  readonly asked: Asked;
  readonly expected: ReadonlyMap<string, Expected>;
  /** What had to hit. */
  readonly certain: ReadonlySet<string>;
  readonly foretold: Report | undefined;
  readonly report: Report;
}

async function foretellAndRun(
  { log }: Build,
  checkout: Checkout,
  asked: Asked,
  isForetold: boolean,
): Promise<Ran> {
  log.push(`${checkout.name}: task ${[...asked.names, ...asked.args].join(" ")}`);
  const expected = expectedOf(checkout.world);
  const certain = new Set(checkout.stored.certain);
  const foretold = isForetold ? await run(checkout, asked, "--dry-run") : undefined;
  const report = await run(checkout, asked);
  return { checkout, asked, expected, certain, foretold, report };
}

/** Of runs at once, what each stored is known before any is looked at. */
function check({ checkouts }: Build, runs: readonly Ran[]): void {
  for (const { checkout, expected, report } of runs)
    for (const { name, cache } of report.rows) {
      if (!cache.stored) continue;
      const { state } = of(expected, namedTask(checkout.world, name));
      checkout.stored.certain.add(state);
      for (const { stored } of checkouts) stored.possible.add(state);
    }
  for (const ran of runs) {
    const { rows, stderr, code } = ran.report;
    for (const row of rows) {
      const task = namedTask(ran.checkout.world, row.name);
      const problem =
        problemOf(ran, task, row) ?? cacheProblemOf(ran, task, row) ?? foretoldProblemOf(ran, row);
      if (problem !== undefined)
        throw new Error(`${row.name}: ${problem}\n${JSON.stringify(row)}\n${stderr}`);
    }
    if ((code !== 0) !== rows.some(({ outcome }) => outcome === "failed"))
      throw new Error(`exit code ${code}\n${JSON.stringify(rows)}\n${stderr}`);
  }
}

function namedTask(world: World, name: string): ModelTask {
  return taskOf(world, name.slice(name.lastIndexOf(".") + 1));
}

function of(expected: ReadonlyMap<string, Expected>, { name }: ModelTask): Expected {
  const found = expected.get(name);
  if (found === undefined) throw new Error(`nothing is expected of ${name}`);
  return found;
}

/** What is wrong with what a task did and left behind. */
function problemOf({ checkout, expected }: Ran, task: ModelTask, row: TaskRow): string | undefined {
  const { fails, outputs } = of(expected, task);
  if (fails) return row.outcome === "succeeded" ? "it should have failed" : undefined;
  if (row.outcome === "failed") return "it should not have failed";
  if (row.outcome !== "succeeded" || row.outputsLeft) return undefined;
  const is = JSON.stringify(sorted(filesOf(checkout.sandbox, task)));
  const should = JSON.stringify(sorted(outputs));
  return is === should ? undefined : `its outputs are ${is}, and should be ${should}`;
}

function cacheProblemOf(
  { checkout: { stored }, asked, expected, certain }: Ran,
  task: ModelTask,
  row: TaskRow,
): string | undefined {
  const { state, fails, blind } = of(expected, task);
  const isHit = row.cache.status === "hit";
  const reads = asked.reads && !(asked.isForced && asked.names.includes(row.name));
  if (isHit && !reads) return "it hit, and nothing was to be looked up";
  if (isHit && !task.cached) return "it hit, and is not cached";
  if (row.cache.stored && !asked.writes) return "it was stored, and nothing was to be";
  if (isHit && fails) return "it hit, and fails";
  const isKnown = stored.certain.has(state) || stored.possible.has(state);
  if (isHit && !isKnown) return "it hit, and was never stored from these inputs";
  if (row.outcome !== "succeeded" || isHit || !reads || !task.cached) return undefined;
  return certain.has(state) && !blind ? "it missed, and was stored from these inputs" : undefined;
}

function foretoldProblemOf({ foretold }: Ran, row: TaskRow): string | undefined {
  const { key, cache } = foretold?.rows.find(({ name }) => name === row.name) ?? {};
  const told = cache?.status;
  // Without a key it is said by comparison with results that are known here.
  if (row.outcome !== "succeeded" || key === null || (told !== "hit" && told !== "miss"))
    return undefined;
  return (told === "hit") === (row.cache.status === "hit")
    ? undefined
    : `it was foretold as a ${told}`;
}

/** Nothing is said of the run itself. What it stored is of the world before, of that after, or of some of both. */
async function editWhileItRuns(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const asked = ask(build, checkout);
  log.push(`${checkout.name}: task ${[...asked.names, ...asked.args].join(" ")}, meanwhile:`);
  const before = checkout.world;
  const running = run(checkout, asked);
  await sleep(random.below(400));
  const { world, what } = editWorld(random, before);
  // The environment of what runs stays, and its configuration was read.
  const isSource = world.host === before.host && world.tasks === before.tasks;
  if (isSource) {
    writeWorld(checkout.sandbox, world, before);
    checkout.world = world;
    log.push(`${checkout.name}: ${what}`);
  }
  await running;
  for (const mixed of mixedStates(before, checkout.world))
    for (const { stored } of build.checkouts) stored.possible.add(mixed);
}

/** The states of all tasks where each was run with the sources of one world or the other. */
function mixedStates(before: World, after: World): ReadonlySet<string> {
  const states = new Set<string>();
  const names = [...before.tasks.keys()];
  for (let choice = 0; choice < 2 ** names.length; choice += 1) {
    const sourcesOf = (name: string): World["sources"] =>
      ((choice >> names.indexOf(name)) & 1) === 0 ? before.sources : after.sources;
    for (const { state } of expectedOf(before, sourcesOf).values()) states.add(state);
  }
  return states;
}
