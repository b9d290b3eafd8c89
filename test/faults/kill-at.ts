import { existsSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { compared, unsoundness } from "./aftermath.ts";
import { cacheLeftovers } from "./cache-leftovers.ts";
import { buildStderr, buildStdout, canaries, stampOf, taskStderr } from "./fault-project.ts";
import { injection, onePoolThread } from "./file-calls.ts";
import type { Bench, Cell } from "./sweep.ts";
import { readTree, treeDifference } from "./tree.ts";

/** Kills the scenario's command at a call, and looks whether the cache is sound and the next run right. */
export async function killAt(
  bench: Bench,
  { call, what }: Cell,
): Promise<readonly string[] | undefined> {
  const { project, scenario } = bench;
  const before = canaries.map((name) => stampOf(project.path(name)));
  const { signal, code } = await project.cuenv(scenario.args, {
    wrapper: injection(project, call, what),
    env: { ...scenario.env, ...onePoolThread },
  });
  if (signal === null && code === 0) return undefined;
  if (signal !== "SIGKILL") return [`it ended with ${code ?? signal} instead of a kill`];
  await project.settled();
  const isWritten = leaseIsWritten(project.cacheDir);
  const problems = [...(await unsoundness(bench)), ...(await nextRunProblems(bench, isWritten))];
  const after = canaries.map((name) => stampOf(project.path(name)));
  if (before.join() !== after.join()) problems.push("a file beside the outputs was touched");
  problems.push(...((await scenario.check?.(project)) ?? []), ...(await leftovers(bench)));
  return problems;
}

/** A lease that was made and not written keeps others waiting for a second; any other of a dead process for no time. */
function leaseIsWritten(cacheDir: string): boolean {
  const folder = join(cacheDir, "v1", "leases");
  if (!existsSync(folder)) return true;
  return readdirSync(folder).every((name) => statSync(join(folder, name)).size > 0);
}

async function nextRunProblems(
  { project, scenario, expected }: Bench,
  mustNotWait: boolean,
): Promise<string[]> {
  const next = await project.cuenv(["task", "build"]);
  const problems: string[] = [];
  if (next.code !== 0) problems.push(`the next run ended with ${next.code}: ${next.stderr}`);
  if (next.stdout !== buildStdout)
    problems.push(`the next run printed ${JSON.stringify(next.stdout)}`);
  if (taskStderr(next.stderr) !== buildStderr)
    problems.push(`the next run said ${JSON.stringify(next.stderr)}`);
  if (mustNotWait && next.stderr.includes("waiting"))
    problems.push("the next run waited for the dead one");
  const difference = treeDifference(compared(expected), compared(readTree(project.workspace)));
  if (difference !== undefined) problems.push(`after the next run ${difference}`);
  const maxRuns = scenario.maxRuns ?? 1;
  if (project.runs() > maxRuns) problems.push(`the task ran ${project.runs()} times`);
  return problems;
}

/** Gone with the next eviction. */
const untilNextSweep = [/^v1\/sweep\.lock$/, /^v1\/journal\.[0-9a-f]{16}$/];

/** What still lies about after a time, a run that stores and one that restores. */
async function leftovers({ project, expected }: Bench): Promise<string[]> {
  makeOld(project.cacheDir);
  await project.cuenv(["task", "build", "--force"]);
  rmSync(project.path("out"), { recursive: true });
  const restoring = await project.cuenv(["task", "build"]);
  const problems = cacheLeftovers(project.cacheDir, untilNextSweep).map(
    (path) => `${path} is left in the cache folder`,
  );
  if (!restoring.stderr.includes("restored"))
    problems.push(`nothing was restored: ${restoring.stderr}`);
  const difference = treeDifference(compared(expected), compared(readTree(project.workspace)));
  if (difference !== undefined) problems.push(`after a restore ${difference}`);
  const staged = readdirSync(project.workspace).filter((name) =>
    name.startsWith(".cuenv-staging-"),
  );
  if (staged.length > 0) problems.push(`${staged.join()} outlived a restore`);
  // Only mkfifo makes pipes for Node; a kill in those 3 ms leaves an empty folder to the system's own cleaning of TMPDIR.
  const temporary = readdirSync(project.temporary).filter(
    (name) => !name.startsWith("cuenv-pipe-"),
  );
  if (temporary.length > 0) problems.push(`${temporary.join()} is left in TMPDIR`);
  return problems;
}

/** What does not tell which process it is of goes by its age: this is two hours later. */
function makeOld(cacheDir: string): void {
  const then = Date.now() / 1000 - 2 * 60 * 60;
  const base = join(cacheDir, "v1");
  if (!existsSync(base)) return;
  for (const path of readdirSync(base, { recursive: true, encoding: "utf8" })) {
    if (/\.tmp$|^leases\/.|^tmp\/[^/]+$/.test(path)) utimesSync(join(base, path), then, then);
  }
}
