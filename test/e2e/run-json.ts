import { expect } from "vitest";
import type { RunOptions, Sandbox } from "./sandbox.ts";

export interface TaskRow {
  readonly name: string;
  readonly outcome: string;
  readonly exitCode: number | null;
  readonly key: string | null;
  readonly cache: {
    readonly status: "hit" | "miss" | "off" | "skipped";
    readonly tier: string | null;
    readonly reason: string | null;
    readonly stored: boolean;
  };
  readonly restoredFiles: number;
  /** Whether its outputs stay in the remote cache. */
  readonly outputsLeft: boolean;
  readonly savedMs: number;
}

export interface RunReport {
  readonly code: number | null;
  readonly stderr: string;
  readonly tasks: Readonly<Record<string, TaskRow>>;
  readonly summary: Readonly<Record<string, number>>;
}

/** `cuenv task --json …`, read. */
export async function runJson(
  sandbox: Sandbox,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunReport> {
  const { code, stdout, stderr } = await sandbox.cuenv(["task", "--json", ...args], options);
  expect(stdout, stderr).toMatch(/^\{"version":1,"tasks":\[.*\}\n$/);
  const document = JSON.parse(stdout) as { tasks: TaskRow[]; summary: Record<string, number> };
  const tasks = Object.fromEntries(document.tasks.map((task) => [task.name, task]));
  return { code, stderr, tasks, summary: document.summary };
}

/** What the cache said of each task of a run that must succeed: hit, miss or off. */
export async function cacheStatus(
  sandbox: Sandbox,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Readonly<Record<string, string>>> {
  const report = await runJson(sandbox, args, options);
  expect(report.code, report.stderr).toBe(0);
  return Object.fromEntries(
    Object.entries(report.tasks).map(([name, { cache }]) => [name, cache.status]),
  );
}

/** As {@link cacheStatus}, of a single task. */
export async function statusOf(
  sandbox: Sandbox,
  task: string,
  options: RunOptions & { readonly args?: readonly string[] } = {},
): Promise<string | undefined> {
  const { args = [], ...rest } = options;
  return (await cacheStatus(sandbox, [task, ...args], rest))[task];
}
