import type { Outcome, RunOptions, Sandbox } from "../e2e/sandbox.ts";
import type { TaskRow } from "../e2e/run-json.ts";
import { belowTask, fullName, type ModelTask, taskOf, type World } from "./build-model.ts";
import { type Expected, expect as expectedOf } from "./expected.ts";
import { keptFolder } from "./outputs.ts";
import type { Random } from "./random.ts";
import { mayRefuse, type Stored, usable } from "./stored.ts";
import type { Trust } from "./trust.ts";

export interface Checkout {
  readonly name: string;
  readonly sandbox: Sandbox;
  /** Of its cache folder. */
  readonly stored: Stored;
  env: Readonly<Record<string, string>>;
  trust: Trust;
  /** As trust files have it. */
  publicKey: string;
  world: World;
}

export interface Build {
  readonly random: Random;
  readonly checkouts: readonly Checkout[];
  readonly hasRemote: boolean;
  readonly disturb: ((random: Random) => string) | undefined;
  /** What was done, for who has to find out why it failed. */
  readonly log: string[];
}

export interface Asked {
  readonly names: readonly string[];
  readonly args: readonly string[];
  readonly reads: boolean;
  readonly writes: boolean;
  /** Under `-e prod`. */
  readonly isProd: boolean;
  /** After `--`. */
  readonly words: readonly string[];
  readonly digest: World["digests"][number];
  /** Variables that have it remove results from the cache when it ends. */
  readonly evicts: Readonly<Record<string, string>> | undefined;
  /** The named tasks run in any case. */
  readonly isForced: boolean;
}

const limits = [
  { CUENV_CACHE_MAX_AGE: "1ms" },
  ...["LRU", "LFU", "FIFO", "SizeBased"].map((policy) => ({
    CUENV_CACHE_MAX_SIZE: "1MiB",
    CUENV_CACHE_EVICTION_POLICY: policy,
  })),
];

const argumentLists = [["a b"], ["-x", "é"], ["*", "$V", "'\"", "", "--", "`"]];

export function ask({ random, hasRemote }: Build, { world, stored }: Checkout): Asked {
  const evicts = random.percent(8) ? random.pick(limits) : undefined;
  if (evicts !== undefined) stored.certain.clear();
  const tasks = [...world.tasks.values()];
  const some = random.some(tasks, 3);
  const all = withSequence(world, random.percent(20) || some.length === 0 ? tasks : some);
  const mode = random.percent(75)
    ? "read-write"
    : random.pick(["read", "write", "off", "read-write"]);
  const isForced = random.percent(6);
  return {
    names: all,
    isProd: random.percent(10),
    words: all.includes("seq") ? [] : random.percent(12) ? random.pick(argumentLists) : [],
    args: [
      ...(mode === "read-write" ? [] : ["--cache", mode]),
      ...(isForced ? ["--force"] : []),
      ...(random.percent(15) ? ["--continue-on-error"] : []),
      ...(hasRemote && random.percent(50)
        ? [`--download=${random.pick(["none", "toplevel"])}`]
        : []),
      ...(random.percent(50) ? ["--jobs", String(1 + random.below(4))] : []),
    ],
    reads: mode === "read" || mode === "read-write",
    isForced,
    digest: random.pick(world.digests),
    evicts,
    writes: mode === "write" || mode === "read-write",
  };
}

/** Steps that read what earlier steps made, and do not depend on it, are right in the sequence only. */
function withSequence(world: World, tasks: readonly ModelTask[]): readonly string[] {
  const all = new Set(tasks.flatMap(({ name }) => [name, ...belowTask(world.tasks, name)]));
  const isNeeded = [...all].some((name) => taskOf(world, name).earlier.length > 0);
  return [...tasks.map(fullName), ...(isNeeded ? ["seq"] : [])];
}

/** The tasks that were named, steps of a sequence among them. */
export function namedTasks(world: World, { names }: Asked): ReadonlySet<string> {
  const steps = names.includes("seq") ? world.sequence.map((name) => taskOf(world, name)) : [];
  return new Set([...names, ...steps.map(fullName)]);
}

export interface Report {
  readonly code: number | null;
  readonly stderr: string;
  readonly rows: readonly TaskRow[];
}

function reportOf({ code, stdout, stderr }: Outcome): Report {
  if (!/^\{"version":1,(?:"dryRun":true,)?"tasks":/.test(stdout))
    throw new Error(`no report, exit code ${code}: ${stdout}${stderr}`);
  return { code, stderr, rows: (JSON.parse(stdout) as { tasks: TaskRow[] }).tasks };
}

export function argsOf(
  { names, args, isProd, words }: Asked,
  ...more: readonly string[]
): readonly string[] {
  const flags = [
    ...args,
    ...(isProd ? ["-e", "prod"] : []),
    "--json",
    "--output",
    "prefixed",
    ...more,
  ];
  return ["task", ...names, ...flags, ...(words.length === 0 ? [] : ["--", ...words])];
}

/** For the log. */
export function told(asked: Asked): string {
  const { evicts, digest } = asked;
  return [...Object.values(evicts ?? {}), digest, ...argsOf(asked)].join(" ");
}

/** What all tasks make in such a run. */
export function expectedIn(
  { world }: Checkout,
  { isProd, words, names }: Asked,
  sourcesOf?: (name: string) => World["sources"],
): ReadonlyMap<string, Expected> {
  return expectedOf(world, { isProd, words, named: new Set(names) }, sourcesOf);
}

export function optionsOf({ env, world }: Checkout, { digest, evicts }: Asked): RunOptions {
  const variables = {
    ...env,
    ...world.host,
    CUENV_CACHE_DIGEST_FUNCTION: digest,
    ...evicts,
  };
  return { env: variables, cwd: world.place };
}

/** Results of one digest function are none of another. */
export function storedAs({ digest }: Asked, state: string): string {
  return `${digest} ${state}`;
}

export async function run(
  checkout: Checkout,
  asked: Asked,
  ...more: readonly string[]
): Promise<Report> {
  mayRefuse(checkout);
  const args = argsOf(asked, ...more);
  return reportOf(await checkout.sandbox.cuenv(args, optionsOf(checkout, asked)));
}

/** A run, and what is to be said of it. */
export interface Ran {
  readonly checkout: Checkout;
  readonly asked: Asked;
  readonly expected: ReadonlyMap<string, Expected>;
  /** What had to hit. */
  readonly certain: ReadonlySet<string>;
  readonly foretold: Report | undefined;
  readonly report: Report;
  /** Files that are nobody's outputs, before and after. */
  readonly kept: readonly [string, string];
}

export async function foretellAndRun(
  { log }: Build,
  checkout: Checkout,
  asked: Asked,
  isForetold: boolean,
): Promise<Ran> {
  log.push(`${checkout.name}: ${told(asked)}`);
  const expected = expectedIn(checkout, asked);
  const certain = usable(checkout);
  const foretold = isForetold ? await run(checkout, asked, "--dry-run") : undefined;
  const before = keptFiles(checkout);
  const report = await run(checkout, asked);
  const kept = [before, keptFiles(checkout)] as const;
  return { checkout, asked, expected, certain, foretold, report, kept };
}

/** What lies in the tasks' outputs and is none of them. */
export function keptFiles({ sandbox, world }: Checkout): string {
  const found: Record<string, string> = {};
  for (const { name, output } of world.tasks.values()) {
    const path = `${keptFolder(name)}/mine.txt`;
    if (output === "excepted" && sandbox.exists(path)) found[path] = sandbox.read(path);
  }
  return JSON.stringify(found);
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid !== 0) process.kill(pid, signal);
  } catch {
    // Over already.
  }
}
