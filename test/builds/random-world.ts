import { belowTask, type ModelTask, type World } from "./build-model.ts";
import { randomLayout } from "./definition-files.ts";
import { outputKinds } from "./outputs.ts";
import type { Random } from "./random.ts";
import { randomSettings } from "./settings.ts";
import { exclusions, selectors } from "./selectors.ts";
import { editSources, randomSources } from "./sources.ts";

/** @param salt in all tasks, so that no other project has the same */
export function randomWorld(random: Random, salt: string): World {
  const sources = randomSources(random);
  const tasks = new Map<string, ModelTask>();
  const count = 2 + random.below(5);
  for (let at = 0; at < count; at += 1) {
    const name = `t${at}`;
    tasks.set(name, randomTask(random, `v${salt}`, name, tasks));
  }
  const sequence = random.percent(40) ? random.some([...tasks.keys()], 4) : [];
  const host = { HOST_A: "1", HOST_B: "1" };
  const world: World = {
    sources,
    tasks,
    host,
    sequence,
    global: "g",
    groupLimit: random.below(3),
    digests: randomDigests(random),
    layout: "together",
    place: random.percent(25) ? "apps/it" : "",
  };
  for (const [name, task] of tasks) {
    const earlier = random.some(earlierSteps(world, task), 2);
    // What is left where an excused step failed is right for who only reads it: nobody could say what that makes.
    const isExcused = task.isExcused && !sequence.includes(name);
    tasks.set(name, { ...task, earlier, isExcused });
  }
  return world;
}

function randomDigests(random: Random): World["digests"] {
  return random.percent(75) ? ["sha256"] : random.pick([["blake3"], ["blake3", "sha256"]] as const);
}

/** What a step of the sequence may read of the steps before. */
function earlierSteps({ sequence, tasks }: World, task: ModelTask): readonly string[] {
  const at = sequence.indexOf(task.name);
  if (at < 0 || task.selectors === undefined) return [];
  const direct = new Set([...task.dependencies, ...task.indirect]);
  return sequence
    .slice(0, at)
    .filter((name) => !direct.has(name) && tasks.get(name)?.output !== "none");
}

function randomTask(
  random: Random,
  value: string,
  name: string,
  before: World["tasks"],
): ModelTask {
  const task: ModelTask = {
    name,
    group: random.percent(25) ? "group" : undefined,
    version: 1,
    value,
    host: random.percent(30) ? random.pick(["HOST_A", "HOST_B"]) : undefined,
    selectors: random.percent(12) ? undefined : random.some(selectors, 3),
    excluded: random.percent(25) ? random.some(exclusions, 2) : [],
    ignored: random.percent(15) ? [random.pick(["src/a.txt", "src/d/f.md"])] : [],
    dependencies: random.some([...before.keys()], 2),
    quoted: undefined,
    namesTasks: random.percent(30),
    indirect: [],
    earlier: [],
    output: random.pick(outputKinds),
    cached: random.percent(88),
    canFail: random.percent(15),
    isExcused: random.percent(40),
    asksTool: random.percent(15),
    hasSecret: random.percent(15),
    isFlaky: random.percent(8),
    settings: {},
    isScript: random.percent(30),
  };
  const [quoted] = random.percent(20) ? task.dependencies : [];
  return {
    ...task,
    quoted,
    settings: randomSettings(random, task),
    isFlaky: task.isFlaky && !task.canFail,
    // Without inputs all of the project counts, which need not be where the file lies that it fails for.
    canFail: task.canFail && task.selectors !== undefined,
    indirect: randomIndirect(random, task, before),
  };
}

/** What comes before the task for sure, and is nothing that it depends on itself. */
export function randomIndirect(
  random: Random,
  task: ModelTask,
  tasks: World["tasks"],
): readonly string[] {
  if (task.selectors === undefined) return [];
  const all = new Map(tasks).set(task.name, task);
  const candidates = [...belowTask(all, task.name)].filter(
    (name) => !task.dependencies.includes(name) && tasks.get(name)?.output !== "none",
  );
  return random.percent(50) ? random.some(candidates, 1) : [];
}

/** The world after somebody edited something. */
export function editWorld(
  random: Random,
  world: World,
): { readonly world: World; readonly what: string } {
  const kind = random.below(10);
  if (kind < 6) {
    const { sources, what } = editSources(random, world.sources, [...world.tasks.keys()]);
    return { world: { ...world, sources }, what };
  }
  if (random.percent(5)) {
    const layout = randomLayout(random, world);
    return { world: { ...world, layout }, what: `variables ${layout}` };
  }
  if (random.percent(4)) {
    const global = random.pick(["g", "h"]);
    return { world: { ...world, global }, what: `G: ${global}` };
  }
  if (kind < 7) {
    const name = random.pick(Object.keys(world.host));
    const value = random.pick(["1", "2"]);
    return {
      world: { ...world, host: { ...world.host, [name]: value } },
      what: `${name}=${value}`,
    };
  }
  return editTask(random, world);
}

function editTask(random: Random, world: World): { readonly world: World; readonly what: string } {
  const tasks = new Map(world.tasks);
  const name = random.pick([...tasks.keys()]);
  const task = tasks.get(name);
  if (task === undefined) throw new Error("a task went away");
  const earlier = new Map([...tasks].slice(0, [...tasks.keys()].indexOf(name)));
  const changed = random.pick<() => ModelTask>([
    () => ({ ...task, version: 1 + random.below(2) }),
    () => ({ ...task, value: random.pick(["v", "w"]) + task.value.slice(1) }),
    () => ({ ...task, output: random.pick(outputKinds) }),
    () => ({ ...task, selectors: random.some(selectors, 3) }),
    () => ({ ...task, excluded: random.some(exclusions, 2) }),
    () => ({ ...task, cached: !task.cached }),
    () => ({ ...task, isScript: !task.isScript }),
    () => ({ ...task, settings: randomSettings(random, task) }),
    () => ({ ...task, dependencies: random.some([...earlier.keys()], 2) }),
  ])();
  tasks.set(name, changed);
  // What was below a task may be so no more, or make nothing.
  for (const [other, each] of tasks) {
    const below = belowTask(tasks, other);
    const indirect = each.indirect.filter(
      (made) =>
        each.selectors !== undefined &&
        below.has(made) &&
        !each.dependencies.includes(made) &&
        tasks.get(made)?.output !== "none",
    );
    const quoted =
      each.quoted !== undefined && each.dependencies.includes(each.quoted)
        ? each.quoted
        : undefined;
    tasks.set(other, { ...each, indirect, quoted });
  }
  const edited = { ...world, tasks };
  for (const [other, each] of tasks) {
    const steps = earlierSteps(edited, each);
    tasks.set(other, { ...each, earlier: each.earlier.filter((step) => steps.includes(step)) });
  }
  return { world: edited, what: `edit task ${name}` };
}
