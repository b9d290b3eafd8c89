import { setTimeout as sleep } from "node:timers/promises";
import { settled } from "../faults/fault-project.ts";
import { belowTask, type World } from "./build-model.ts";
import { filesOf, textOf, writeWorld } from "./checkout.ts";
import { editWorld } from "./random-world.ts";
import { ignoreTheSame } from "./selectors.ts";
import { secretFile, toolFile } from "./sources.ts";
import {
  type Asked,
  argsOf,
  ask,
  type Build,
  type Checkout,
  expectedIn,
  optionsOf,
  sendSignal,
} from "./runs.ts";

const patienceMs = 60_000;

/** Whatever is edited while cuenv watches, in the end the outputs are what the tasks make of what is there. */
export async function watchEdits(build: Build, checkout: Checkout): Promise<void> {
  const { random, log } = build;
  const asked = ask(build, checkout);
  const args = asked.args.filter((each) => each !== "--force" && !each.startsWith("--download"));
  const watched: Asked = { ...asked, args: [...args, "--watch"] };
  log.push(`${checkout.name}: ${argsOf(watched).join(" ")}, meanwhile:`);
  let pid = 0;
  const { sandbox } = checkout;
  const words = argsOf(watched).filter((each) => each !== "--json");
  const watching = sandbox.cuenv(words, {
    ...optionsOf(checkout, watched),
    detached: true,
    onStart: (started) => (pid = started),
  });
  try {
    for (let edits = 1 + random.below(4); edits > 0; edits -= 1) {
      await sleep(random.pick([0, 20, 150, 500, 900]));
      const { world, what } = editWorld(random, checkout.world);
      if (world.host !== checkout.world.host || !isSeen(checkout.world, world)) continue;
      writeWorld(sandbox, world, checkout.world);
      checkout.world = world;
      log.push(`${checkout.name}: ${what}`);
    }
    await converged(checkout, watched);
  } finally {
    sendSignal(pid, "SIGINT");
    log.push((await watching).stderr);
  }
  log.pop();
  await settled(sandbox.root);
  renew(build);
}

/**
 * A watch sees what tasks read. What their tools and secrets come from is none of that; and a file that is new while tasks run, and that none of them declares,
 * is taken for one that they made.
 */
function isSeen(before: World, after: World): boolean {
  const isAnswer = [toolFile, secretFile].some(
    (path) => before.sources.get(path) !== after.sources.get(path),
  );
  if (isAnswer) return false;
  const isDeclared = [...after.tasks.values()].every(({ selectors }) => selectors !== undefined);
  const isNew = [...after.sources.keys()].some((path) => !before.sources.has(path));
  return isDeclared || (!isNew && ignoreTheSame(before.sources, after.sources));
}

async function converged(checkout: Checkout, asked: Asked): Promise<void> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const problem = differenceOf(checkout, asked);
    if (problem === undefined) return;
    if (Date.now() > deadline) throw new Error(`after a watch ${problem}`);
    await sleep(50);
  }
}

function differenceOf(checkout: Checkout, asked: Asked): string | undefined {
  const { sandbox, world } = checkout;
  const expected = expectedIn(checkout, asked);
  // Where something fails the rest may not run.
  if ([...expected.values()].some(({ fails, isTainted }) => fails || isTainted)) return undefined;
  for (const name of reached(world, asked.names)) {
    const task = world.tasks.get(name);
    if (task === undefined) continue;
    try {
      const is = textOf(filesOf(sandbox, task));
      const should = textOf(expected.get(name)?.outputs ?? new Map());
      if (is !== should) return `the outputs of ${name} are ${is}, and should be ${should}`;
    } catch (error) {
      return String(error); // it is being written
    }
  }
  return undefined;
}

/** What runs, and is certain to run again for what it reads. */
function reached(world: World, names: readonly string[]): ReadonlySet<string> {
  const all = names.flatMap((name) => (name === "seq" ? world.sequence : [short(name)]));
  const run = new Set(all.flatMap((name) => [name, ...belowTask(world.tasks, name)]));
  const isOrdered = names.includes("seq");
  const isCertain = (name: string): boolean => {
    const task = world.tasks.get(name);
    return task?.cached === true && (task.earlier.length === 0 || isOrdered);
  };
  return new Set(
    [...run].filter((name) => [name, ...belowTask(world.tasks, name)].every(isCertain)),
  );
}

function short(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** Nobody knows of which moments something was stored: from here on all is new. */
function renew({ checkouts, log }: Build): void {
  for (const checkout of checkouts) {
    const tasks = new Map(checkout.world.tasks);
    for (const [name, task] of tasks) tasks.set(name, { ...task, value: `${task.value}+` });
    const world = { ...checkout.world, tasks };
    writeWorld(checkout.sandbox, world, checkout.world);
    checkout.world = world;
  }
  log.push("all tasks get another value");
}
