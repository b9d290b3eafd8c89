import { join } from "node:path";
import { createSandbox } from "../e2e/sandbox.ts";
import { check } from "./check-runs.ts";
import { openFolders, writeWorld } from "./checkout.ts";
import { damageCache, damageOutputs, keepFile, setTimes } from "./damage.ts";
import {
  editWhileItRuns,
  endWhileItRuns,
  keepHouseMeanwhile,
  runBesideItself,
} from "./disturbed-runs.ts";
import { checkExplained, explain, verify } from "./explain-and-verify.ts";
import { type Random, randomFrom } from "./random.ts";
import { editWorld, randomWorld } from "./random-world.ts";
import { runOnlyOne } from "./run-only-one.ts";
import { watchEdits } from "./watch-edits.ts";
import { ask, type Build, type Checkout, foretellAndRun } from "./runs.ts";
import { newStored } from "./stored.ts";
import { commonTrust, editTrust, separateKeys } from "./trust.ts";

/** Where the checkouts' remote cache is. */
export interface Remote {
  readonly CUENV_REMOTE_CACHE_ENDPOINT: string;
  readonly CUENV_REMOTE_CACHE_AUTH_TOKEN: string;
  readonly CUENV_REMOTE_CACHE_TIMEOUT?: string;
}

/** Does something to the network before each step. */
export type Disturb = (random: Random) => string;

/**
 * Edits and builds a random project `steps` times, in two checkouts with one cache folder, or with one of their own and a remote cache, and compares each run with the model: outputs
 * are what the tasks make of their inputs, nothing hits that was not stored from the same inputs, what was stored hits, and a dry run foretold it.
 * @throws with the steps that led there
 */
export async function randomBuild(
  seed: number,
  steps: number,
  remote?: Remote,
  disturb?: Disturb,
): Promise<void> {
  const random = randomFrom(seed);
  // In a remote cache that others use, too, there are results of other builds.
  const kind = remote === undefined ? "" : disturb === undefined ? "r" : "n";
  const world = randomWorld(random, `${seed}${kind}`);
  const sandbox = createSandbox({});
  const other = createSandbox({}, { beside: sandbox, name: "other" });
  const stored = newStored();
  const apart = {
    stored: newStored(),
    env: { ...remote, CUENV_CACHE_DIR: join(other.root, "../other-cache") },
  };
  const common = { world, trust: commonTrust(), publicKey: "" };
  const checkouts: readonly Checkout[] = [
    { ...common, name: "A", sandbox, stored, env: { ...remote } },
    {
      ...common,
      name: "B",
      sandbox: other,
      ...(remote === undefined ? { stored, env: {} } : apart),
    },
  ];
  for (const each of checkouts) writeWorld(each.sandbox, world);
  const build: Build = { random, checkouts, hasRemote: remote !== undefined, disturb, log: [] };
  try {
    if (random.percent(25)) await separateKeys(build);
    for (let step = 0; step < steps; step += 1) await randomStep(build);
    for (const each of checkouts) await verifyCache(each);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`seed ${seed}:\n  ${build.log.join("\n  ")}\n${said}`, { cause });
  } finally {
    for (const each of checkouts) openFolders(each.sandbox.path("out"));
  }
}

async function randomStep(build: Build): Promise<void> {
  const { random, checkouts } = build;
  const checkout = random.pick(checkouts);
  if (build.disturb !== undefined) build.log.push(`network: ${build.disturb(random)}`);
  for (let edits = random.below(4); edits > 0; edits -= 1) edit(build, checkout);
  if (random.percent(25)) editTrust(build, checkout);
  if (random.percent(35)) damageOutputs(build, checkout);
  if (random.percent(15)) keepFile(build, checkout);
  if (random.percent(15)) setTimes(build, checkout);
  if (random.percent(8)) damageCache(build, checkout);
  const kind = random.below(100);
  if (kind < 8) return editWhileItRuns(build, checkout);
  if (kind < 20) return endWhileItRuns(build, checkout);
  if (kind < 23) return watchEdits(build, checkout);
  if (kind < 28) return keepHouseMeanwhile(build, checkout);
  if (kind < 36) return runBesideItself(build, checkout);
  if (kind < 44) return runAllAtOnce(build);
  const asked = ask(build, checkout);
  const isForetold = asked.reads && !checkout.stored.damaged && build.disturb === undefined;
  const isExplained = isForetold && random.percent(25);
  const explained = isExplained ? await explain(build, checkout, asked) : undefined;
  const ran = await foretellAndRun(build, checkout, asked, isForetold);
  check(build, [ran]);
  if (explained !== undefined) checkExplained(ran, explained);
  if (isForetold && random.percent(20)) await verify(build, ran);
  if (random.percent(30)) await runOnlyOne(build, ran);
}

async function runAllAtOnce(build: Build): Promise<void> {
  const { checkouts, log } = build;
  log.push("at once:");
  const asked = checkouts.map((each) => ({ each, what: ask(build, each) }));
  // Who refuses a result of the other takes it away.
  const forget = (): void => {
    for (const { stored, trust } of checkouts) if (trust.file !== undefined) stored.certain.clear();
  };
  forget();
  const runs = asked.map(({ each, what }) => foretellAndRun(build, each, what, false));
  check(build, await Promise.all(runs));
  forget();
}

function edit({ random, log }: Build, checkout: Checkout): void {
  const { world, what } = editWorld(random, checkout.world);
  writeWorld(checkout.sandbox, world, checkout.world);
  checkout.world = world;
  log.push(`${checkout.name}: ${what}`);
}

/** Nothing that was done may leave wrong bytes in a cache, but for damage. */
async function verifyCache({ sandbox, env, stored }: Checkout): Promise<void> {
  const args = ["cache", "verify", ...(stored.everDamaged ? ["--repair"] : [])];
  const { code, stdout, stderr } = await sandbox.cuenv(args, { env });
  const isHarmless = (line: string): boolean => line.endsWith("(danglingEntry)");
  const problems = stdout.split("\n").filter((line) => line.startsWith("damaged: "));
  if (stored.wasTidiedMeanwhile && problems.length > 0 && problems.every(isHarmless)) return;
  if (code !== 0) throw new Error(`${args.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
}
