import type { TaskRow } from "../e2e/run-json.ts";
import { type ModelTask, taskOf, type World } from "./build-model.ts";
import { type Expected } from "./expected.ts";
import { filesOf, textOf } from "./checkout.ts";
import { type Build, namedTasks, type Ran, storedAs } from "./runs.ts";
import { narrowed } from "./settings.ts";
import { isOwnUsed, isStored, mayHit, wasStored } from "./stored.ts";

/** Of runs at once, what each stored is known before any is looked at. */
export function check({ checkouts }: Build, runs: readonly Ran[]): void {
  for (const { checkout, asked, expected, report } of runs)
    for (const { name, cache } of report.rows) {
      const found = of(expected, namedTask(checkout.world, name));
      if (!cache.stored) continue;
      if (found.isTainted) for (const { stored } of checkouts) stored.hasOfLeftovers = true;
      if (found.isTainted) continue;
      isStored(checkouts, checkout, storedAs(asked, found.state));
    }
  for (const ran of runs) {
    const { rows, stderr, code } = ran.report;
    for (const row of rows) {
      const task = namedTask(ran.checkout.world, row.name);
      const problem =
        problemOf(ran, task, row) ??
        printedProblemOf(ran, task, row) ??
        cacheProblemOf(ran, task, row) ??
        foretoldProblemOf(ran, row);
      if (problem !== undefined)
        throw new Error(`${row.name}: ${problem}\n${JSON.stringify(row)}\n${stderr}`);
    }
    if (ran.asked.evicts !== undefined) ran.checkout.stored.certain.clear();
    if (ran.kept[0] !== ran.kept[1])
      throw new Error(`what is no output was ${ran.kept.join(", and is ")}\n${stderr}`);
    const counts = ({ name, outcome }: TaskRow): boolean =>
      outcome === "failed" && !isExcused(namedTask(ran.checkout.world, name));
    if ((code !== 0) !== rows.some(counts))
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

function isExcused({ canFail, isExcused: is }: ModelTask): boolean {
  return canFail && is;
}

/** What is wrong with what a task did and left behind. */
function problemOf({ checkout, expected }: Ran, task: ModelTask, row: TaskRow): string | undefined {
  const { fails, outputs, isTainted } = of(expected, task);
  if (isTainted) return undefined;
  if (fails) return row.outcome === "succeeded" ? "it should have failed" : undefined;
  if (row.outcome === "failed") return "it should not have failed";
  if (row.outcome !== "succeeded" || row.outputsLeft) return undefined;
  const is = textOf(filesOf(checkout.sandbox, task));
  const should = textOf(outputs);
  return is === should ? undefined : `its outputs are ${is}, and should be ${should}`;
}

/** A hit prints what the run printed. */
function printedProblemOf(
  { expected, report }: Ran,
  task: ModelTask,
  row: TaskRow,
): string | undefined {
  if (row.outcome !== "succeeded") return undefined;
  const line = new RegExp(`^${row.name.replaceAll(/[.[\]]/g, "\\$&")} *│ (.*)$`, "gmu");
  const is = [...report.stderr.matchAll(line)].map(([, text = ""]) => text).toSorted();
  const { printed, isTainted } = of(expected, task);
  if (isTainted) return undefined;
  return is.join("\n") === printed.join("\n")
    ? undefined
    : `it printed ${JSON.stringify(is)}, and should have printed ${JSON.stringify(printed)}`;
}

function cacheProblemOf(
  { checkout, asked, expected, certain, foretold }: Ran,
  task: ModelTask,
  row: TaskRow,
): string | undefined {
  const { fails, blind, isTainted, isAfterFailure, ...found } = of(expected, task);
  const state = storedAs(asked, found.state);
  const isHit = row.cache.status === "hit";
  const use = narrowed(task.settings, asked);
  const reads = use.reads && !(asked.isForced && namedTasks(checkout.world, asked).has(row.name));
  if (isHit && !reads) return "it hit, and nothing was to be looked up";
  if (isHit && !task.cached) return "it hit, and is not cached";
  if (row.cache.stored && !use.writes) return "it was stored, and nothing was to be";
  if (isHit && fails) return "it hit, and fails";
  const isTooOld = task.settings.maxAge === "1ms";
  if (isHit && isTooOld && foretold !== undefined) return "it hit, and was too old";
  if (isAfterFailure && (isHit || row.cache.stored))
    return "it ran after a failure, and hit or was stored";
  if (isTainted) return undefined;
  if (isHit && !mayHit(checkout, state)) return "it hit, and was never stored from these inputs";
  if (row.cache.stored && !isOwnUsed(checkout)) return "it was stored, and would not be used here";
  if (row.cache.reason === "its result is no longer in the cache" && !wasStored(checkout, state))
    return "it is said to have been stored from these inputs, and never was";
  if (row.outcome !== "succeeded" || isHit || !reads || !task.cached) return undefined;
  // Of its files some may be taken for edited ones.
  return certain.has(state) && !blind && !isTooOld && task.output !== "mixed"
    ? "it missed, and was stored from these inputs"
    : undefined;
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
