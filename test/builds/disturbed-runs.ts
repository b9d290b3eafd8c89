import { setTimeout as sleep } from "node:timers/promises";
import { type World } from "./build-model.ts";
import { expect as expectedOf } from "./expected.ts";
import { writeWorld } from "./checkout.ts";
import { ignoreTheSame } from "./selectors.ts";
import { editWorld } from "./random-world.ts";
import { settled } from "../faults/fault-project.ts";
import { check } from "./check-runs.ts";
import { isOwnUsed, mayBeStored, mayRefuse } from "./stored.ts";
import {
  type Asked,
  storedAs,
  told,
  argsOf,
  ask,
  type Build,
  type Checkout,
  expectedIn,
  optionsOf,
  type Ran,
  sendSignal,
  foretellAndRun,
  run,
} from "./runs.ts";

/** Nothing is said of the run itself. What it stored is of the world before, of that after, or of some of both. */
export async function editWhileItRuns(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const asked = ask(build, checkout);
  log.push(`${checkout.name}: ${told(asked)}, meanwhile:`);
  const before = checkout.world;
  const running = run(checkout, asked);
  await sleep(random.below(400));
  const { world, what } = editWorld(random, before);
  // The environment of what runs stays, and its configuration was read.
  const isSource =
    world.host === before.host &&
    world.tasks === before.tasks &&
    world.global === before.global &&
    world.layout === before.layout &&
    ignoreTheSame(before.sources, world.sources);
  if (isSource) {
    writeWorld(checkout.sandbox, world, before);
    checkout.world = world;
    log.push(`${checkout.name}: ${what}`);
  }
  await running;
  someAreStored(build, checkout, asked, mixedStates(checkout, asked, before));
}

function someAreStored(
  { checkouts }: Build,
  by: Checkout,
  asked: Asked,
  states: Iterable<string>,
): void {
  for (const state of states) mayBeStored(checkouts, by, storedAs(asked, state));
}

/** Whatever it had done by then, nothing that was stored is lost, and nothing is wrong in the runs that follow. */
export async function endWhileItRuns(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const { sandbox } = checkout;
  const asked = ask(build, checkout);
  const signal = random.pick(["SIGKILL", "SIGKILL", "SIGINT", "SIGTERM"] as const);
  const isOfAll = random.percent(30);
  const ms = random.below(700);
  log.push(
    `${checkout.name}: ${told(asked)}, ${signal}${isOfAll ? " for all" : ""} after ${ms} ms`,
  );
  mayRefuse(checkout);
  let pid = 0;
  const running = sandbox.cuenv(argsOf(asked), {
    ...optionsOf(checkout, asked),
    detached: true,
    onStart: (started) => (pid = started),
  });
  let isOver = false;
  const over = running.then(() => (isOver = true));
  await Promise.race([over, sleep(ms)]);
  if (!isOver) sendSignal(isOfAll ? -pid : pid, signal);
  await over;
  await settled(sandbox.root);
  someAreStored(
    build,
    checkout,
    asked,
    [...expectedIn(checkout, asked).values()].map(({ state }) => state),
  );
}

/** Two or three runs in one checkout. Where each task is made once for all of them, each finds what it should. */
export async function runBesideItself(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const { world, stored } = checkout;
  log.push("at once, in one checkout:");
  const all = await Promise.all(
    Array.from({ length: 2 + random.below(2) }, async () => {
      const asked = askWriting(build, checkout);
      await sleep(random.pick([0, 30, 200]));
      return foretellAndRun(build, checkout, asked, false);
    }),
  );
  for (const { asked } of all)
    someAreStored(
      build,
      checkout,
      asked,
      [...expectedIn(checkout, asked).values()].map(({ state }) => state),
    );
  const isMadeOnce =
    isOwnUsed(checkout) && all.every(({ asked }) => !asked.isForced && asked.reads && asked.writes);
  const isCached = [...world.tasks.values()].every(
    ({ cached, settings, output }) =>
      cached && output !== "mixed" && settings.mode === undefined && settings.maxAge === undefined,
  );
  const isSure = [...expectedOf(world).values()].every((each) => !each.fails && !each.isTainted);
  const callOf = ({ asked: { digest, isProd, words, names } }: Ran): string =>
    JSON.stringify([digest, isProd, words, words.length > 0 && names]);
  const isOfOne = new Set(all.map(callOf)).size === 1;
  if (isMadeOnce && isCached && isSure && isOfOne && !stored.damaged) check(build, all);
}

/** What runs write that store nothing is not seen by others: docs/decisions/0032. */
function askWriting(build: Build, checkout: Checkout): Asked {
  const asked = { ...ask(build, checkout), evicts: undefined };
  if (asked.writes) return asked;
  const args = asked.args.filter((each) => each !== "--cache" && each !== "read" && each !== "off");
  return { ...asked, args, reads: true, writes: true };
}

/** Somebody tidies the cache, and a run goes on beside it. */
export async function keepHouseMeanwhile(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const { sandbox, env, stored } = checkout;
  const [command, removes] = random.pick([
    ["clear", true],
    ["prune --max-age 1ms", true],
    ["prune --max-size 1MiB", false],
    ["verify", false],
  ] as const);
  log.push(`${checkout.name}: cache ${command}, meanwhile:`);
  const asked = ask(build, checkout);
  if (removes) stored.certain.clear();
  stored.wasTidiedMeanwhile ||= removes;
  const [ran, tidied] = await Promise.all([
    foretellAndRun(build, checkout, asked, false),
    sleep(random.below(300)).then(() => sandbox.cuenv(["cache", ...command.split(" ")], { env })),
  ]);
  check(build, [ran]);
  if (removes) stored.certain.clear();
  if (tidied.code !== 0 && !stored.everDamaged)
    throw new Error(`cache ${command}: exit code ${tidied.code}\n${tidied.stdout}${tidied.stderr}`);
}

/** The states of all tasks where each was run with the sources of one world or the other. */
function mixedStates(checkout: Checkout, asked: Asked, before: World): ReadonlySet<string> {
  const after = checkout.world;
  const states = new Set<string>();
  const names = [...before.tasks.keys()];
  for (let choice = 0; choice < 2 ** names.length; choice += 1) {
    const sourcesOf = (name: string): World["sources"] =>
      ((choice >> names.indexOf(name)) & 1) === 0 ? before.sources : after.sources;
    for (const { state } of expectedIn({ ...checkout, world: before }, asked, sourcesOf).values())
      states.add(state);
  }
  return states;
}
