import { compared, unsoundness } from "./aftermath.ts";
import {
  buildStderr,
  buildStdout,
  canaries,
  stampOf,
  taskStderr,
  warnings,
} from "./fault-project.ts";
import { injection, onePoolThread, wasInjected } from "./file-calls.ts";
import type { Bench, Cell } from "./sweep.ts";
import { readTree, treeDifference } from "./tree.ts";

/** Lets one call fail: the run is as it would be without a cache, with at most one warning, and the next one as if nothing had happened. */
export async function errorAt(
  bench: Bench,
  { call, what }: Cell,
): Promise<readonly string[] | undefined> {
  const { project, expected } = bench;
  const before = canaries.map((name) => stampOf(project.path(name)));
  const outcome = await project.cuenv(bench.scenario.args, {
    wrapper: injection(project, call, what),
    env: { ...bench.scenario.env, ...onePoolThread },
  });
  if (!wasInjected(project)) return undefined;
  const problems = outcomeProblems(outcome);
  const said = warnings(outcome.stderr);
  if (said.length > 1) problems.push(`it warned ${said.length} times: ${said.join(" | ")}`);
  const difference = treeDifference(compared(expected), compared(readTree(project.workspace)));
  if (difference !== undefined) problems.push(`after the run ${difference}`);
  const next = await project.cuenv(["task", "build"]);
  problems.push(...outcomeProblems(next).map((problem) => `next, ${problem}`));
  if (warnings(next.stderr).length > 0) problems.push(`the next run warned: ${next.stderr}`);
  const later = treeDifference(compared(expected), compared(readTree(project.workspace)));
  if (later !== undefined) problems.push(`after the next run ${later}`);
  const after = canaries.map((name) => stampOf(project.path(name)));
  if (before.join() !== after.join()) problems.push("a file beside the outputs was touched");
  return [...problems, ...(await unsoundness(bench))];
}

/** What is not as it would be without a cache. */
export function outcomeProblems(outcome: {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}): string[] {
  const { code, stdout, stderr } = outcome;
  if (code === 0 && stdout === buildStdout && taskStderr(stderr) === buildStderr) return [];
  return [
    `it ended with ${code}, printed ${JSON.stringify(stdout)} and said ${JSON.stringify(stderr)}`,
  ];
}
