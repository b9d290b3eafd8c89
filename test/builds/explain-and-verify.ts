import { belowTask, fullName, type ModelTask, taskOf } from "./build-model.ts";
import { filesOf, textOf } from "./checkout.ts";
import { keptFiles, type Asked, type Build, type Checkout, optionsOf, type Ran } from "./runs.ts";

/** What `cuenv why` says of a task before a run. */
export interface Explained {
  readonly name: string;
  readonly outcome: "hit" | "miss" | "off" | "unknown";
  readonly key: string | null;
}

/** Of a task that does not depend on what earlier steps left. */
export async function explain(
  { random, log }: Build,
  checkout: Checkout,
  asked: Asked,
): Promise<Explained | undefined> {
  const { tasks } = checkout.world;
  const isNamed = (task: ModelTask): boolean => asked.names.includes(fullName(task));
  // With words of their own, what it depends on has other results.
  const isAlike = (task: ModelTask): boolean =>
    asked.words.length === 0 || withBelow(checkout, task).filter(isNamed).length === 1;
  const candidates = [...tasks.values()].filter(
    (task) => isNamed(task) && isAlike(task) && isOnItsOwn(checkout, task),
  );
  if (candidates.length === 0 || asked.isForced || !asked.writes || asked.evicts !== undefined)
    return undefined;
  const name = fullName(random.pick(candidates));
  log.push(`${checkout.name}: why ${name}`);
  const { code, stdout, stderr } = await checkout.sandbox.cuenv(
    ["why", ...single(asked, name)],
    optionsOf(checkout, asked),
  );
  if (code !== 0) throw new Error(`why ${name}: exit code ${code}\n${stdout}${stderr}`);
  return { ...(JSON.parse(stdout) as Omit<Explained, "name">), name };
}

/** What it said is what the run did. */
export function checkExplained({ report, checkout }: Ran, explained: Explained): void {
  const { name, outcome } = explained;
  // A run makes the salt of its secrets, if there is none yet; who only asks takes one that nobody else has.
  const isSalted = [...checkout.world.tasks.values()].some(
    (task) =>
      fullName(task) === name && withBelow(checkout, task).some(({ hasSecret }) => hasSecret),
  );
  const key = isSalted ? null : explained.key;
  const row = report.rows.find((each) => each.name === name);
  if (row?.outcome !== "succeeded" || outcome === "unknown") return;
  // What it depends on would run: of a key that nobody knows yet it says what is known here.
  if (outcome === "miss" && explained.key === null) return;
  const is = JSON.stringify([row.cache.status, key && row.key]);
  const said = JSON.stringify([outcome, key]);
  if (is !== said) throw new Error(`why ${name}: ${said}, and was ${is}\n${report.stderr}`);
}

/** A task that makes the same each time is what is stored of it, and stays. */
export async function verify({ random, log }: Build, ran: Ran): Promise<void> {
  const { checkout, asked, report, expected } = ran;
  const { world, sandbox } = checkout;
  const isWhole = report.rows.every((row) => row.outcome === "succeeded" && !row.outputsLeft);
  const isThere = (task: ModelTask): boolean => {
    const { cache } = report.rows.find(({ name }) => name === fullName(task)) ?? {};
    const { mode, maxAge } = task.settings;
    const isKept = mode !== "write" && maxAge !== "1ms";
    return isKept && !task.isFlaky && (cache?.stored === true || cache?.status === "hit");
  };
  const candidates = [...world.tasks.values()].filter(
    (task) =>
      asked.words.length === 0 &&
      isOnItsOwn(checkout, task) &&
      withBelow(checkout, task).every(isThere),
  );
  if (
    !isWhole ||
    candidates.length === 0 ||
    asked.evicts !== undefined ||
    !asked.reads ||
    !asked.writes
  )
    return;
  const task = random.pick(candidates);
  log.push(`${checkout.name}: verify ${fullName(task)}`);
  const before = keptFiles(checkout);
  const args = ["verify", ...single(asked, fullName(task))];
  const { code, stdout, stderr } = await sandbox.cuenv(args, optionsOf(checkout, asked));
  const is = textOf(filesOf(sandbox, task));
  const should = textOf(expected.get(task.name)?.outputs ?? new Map());
  if (code !== 0 || is !== should || keptFiles(checkout) !== before)
    throw new Error(
      `${args.join(" ")}: exit code ${code}, outputs ${is}, and should be ${should}\n${stdout}${stderr}`,
    );
}

function single({ isProd, words, names }: Asked, name: string): readonly string[] {
  const isGiven = words.length > 0 && names.includes(name);
  return [name, "--json", ...(isProd ? ["-e", "prod"] : []), ...(isGiven ? ["--", ...words] : [])];
}

function isOnItsOwn(checkout: Checkout, task: ModelTask): boolean {
  return withBelow(checkout, task).every(({ earlier }) => earlier.length === 0);
}

function withBelow({ world }: Checkout, task: ModelTask): readonly ModelTask[] {
  const below = [...belowTask(world.tasks, task.name)];
  return [task, ...below.map((name) => taskOf(world, name))];
}
