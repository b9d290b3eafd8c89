import { existsSync } from "node:fs";
import { join } from "node:path";
import { isAlwaysCached, type ModelTask, taskOf } from "./build-model.ts";
import { cacheFolder } from "./damage.ts";
import { type Build, type Ran, run } from "./runs.ts";

/** Alone, a task has the key of the run of all, and is the hit that it would be there. */
export async function runOnlyOne({ random, log }: Build, ran: Ran): Promise<void> {
  const { checkout, asked, report } = ran;
  const { rows } = report;
  const isWhole = rows.every(({ outcome, outputsLeft }) => outcome === "succeeded" && !outputsLeft);
  // What the others printed, only a run of them tells.
  const taskOfRow = (name: string): ModelTask =>
    taskOf(checkout.world, name.slice(name.lastIndexOf(".") + 1));
  const cached = rows.filter(
    ({ name, key, cache }) =>
      key !== null && cache.status !== "off" && taskOfRow(name).quoted === undefined,
  );
  // With words of their own, what it depends on has other keys.
  if (
    !isWhole ||
    asked.words.length > 0 ||
    asked.evicts !== undefined ||
    !asked.reads ||
    !asked.writes ||
    cached.length === 0
  )
    return;
  const row = random.pick(cached);
  log.push(`${checkout.name}: task ${row.name} --only`);
  const only = { ...asked, names: [row.name], args: ["--only"] };
  const alone = await run(checkout, only);
  const [is] = alone.rows;
  const { dependencies } = taskOfRow(row.name);
  const isKnown = dependencies.every((name) => {
    const dependency = taskOf(checkout.world, name);
    return dependency.output !== "none" || isAlwaysCached(dependency);
  });
  // As long as no run may store anything nobody makes a salt, and each process takes one of its own.
  const hasSecret = [...checkout.world.tasks.values()].some((task) => task.hasSecret);
  const isSalted = !hasSecret || existsSync(join(cacheFolder(checkout), "v1/secret-salt"));
  if (alone.code !== 0 || alone.rows.length !== 1 || (isKnown && isSalted && is?.key !== row.key))
    throw new Error(
      `${row.name} --only: ${JSON.stringify(alone.rows)}, and was ${JSON.stringify(row)}\n${alone.stderr}`,
    );
  const { mode, maxAge } = taskOfRow(row.name).settings;
  if (mode === "write" || maxAge === "1ms") return;
  if (row.cache.stored && is?.cache.status !== "hit")
    throw new Error(`${row.name} --only missed: ${JSON.stringify(is)}\n${alone.stderr}`);
}
