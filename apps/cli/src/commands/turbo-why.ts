import { spawnSync } from "node:child_process";
import { CuenvError } from "@cuenv/errors";
import {
  explainTurboTask,
  latestSummaryOf,
  parseRunSummary,
  type RunSummary,
  type SummarizedTask,
  type TurboCause,
} from "@cuenv/turbo";
import type { Invocation } from "../command-line/command.ts";
import { oneName } from "../command-line/given.ts";
import { openSettings } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { ownVariables } from "../run/host-environment.ts";
import { findTurbo, turboRoot } from "../turbo/find-turbo.ts";
import { cacheVariables } from "../turbo/said-to-turbo.ts";
import { turboComplaint } from "../turbo/turbo-complaint.ts";
import { turboPlace } from "../turbo/turbo-place.ts";
import { unknownTurboTask } from "../turbo/unknown-turbo-task.ts";

/** A dry run reads the whole repository; longer it does not take (5 min). */
const dryRunTimeoutMs = 5 * 60_000;
const maxDryRunBytes = 256 * 1024 * 1024;

/** `cuenv turbo why PACKAGE#TASK`: what made its hash another than in the last run that turbo kept a summary of. */
export async function runTurboWhy(invocation: Invocation): Promise<number> {
  const taskId = oneName(invocation, "task, like web#build");
  const root = turboRoot(process.cwd());
  const { settings } = await openSettings(invocation, { from: root });
  const now = dryRun(taskId, turboPlace(settings, root).cacheDir);
  const task = now.tasks.get(taskId);
  if (task === undefined)
    throw new CuenvError("USAGE", `cannot explain ${taskId}: turbo knows no such task`, {
      hint: `It knows ${[...now.tasks.keys()].slice(0, 5).join(", ") || "none of that name"}.`,
    });
  const before = latestSummaryOf(root, taskId);
  const causes = before === undefined ? [] : explainTurboTask(before, now, taskId);
  const explained = { taskId, task, before, causes, text: firstLine(taskId, before, causes) };
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify(documentOf(explained))}\n`
      : textOf(explained),
  );
  return 0;
}

interface Explained {
  readonly taskId: string;
  readonly task: SummarizedTask;
  readonly before: RunSummary | undefined;
  readonly causes: readonly TurboCause[];
  readonly text: string;
}

/** What turbo would do now; no cache of other machines is asked. @throws {CuenvError} USAGE, TURBO_SUMMARY */
function dryRun(taskId: string, cacheDir: string | undefined): RunSummary {
  const [, name, task] = /^([^#\s]+)#([^#\s]+)$/.exec(taskId) ?? [];
  if (name === undefined || task === undefined || name.startsWith("-") || task.startsWith("-"))
    throw new CuenvError("USAGE", `cannot explain ${taskId}: it is not like web#build`, {
      hint: "A package and a task; //#task for one of the root.",
    });
  const argv = ["run", task, `--filter=${name}`, "--dry=json"];
  const program = findTurbo(process.cwd());
  const env = ownVariables();
  env["TURBO_CACHE"] = "local:r,remote:";
  // Turbo takes none of these beside it.
  for (const variable of cacheVariables) delete env[variable];
  if (cacheDir !== undefined) env["TURBO_CACHE_DIR"] ??= cacheDir;
  const { stdout, stderr, status, error } = spawnSync(program, argv, {
    env,
    encoding: "utf8",
    timeout: dryRunTimeoutMs,
    maxBuffer: maxDryRunBytes,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const cannot = `cannot run ${program} ${argv.join(" ")}`;
  if (error !== undefined) {
    if (!("code" in error) || error.code !== "ENOENT")
      throw failed(`${cannot}: ${error.message}`, "Does that command work here by itself?");
    throw failed(`${cannot}: there is no such program in PATH`, "npm install --save-dev turbo");
  }
  if (status !== 0) {
    const unknown = unknownTurboTask({ program, env, packageName: name, task, stderr });
    if (unknown !== undefined) throw unknown;
    throw failed(
      `${cannot}: ${turboComplaint(stderr) || `exit code ${status}`}`,
      "Does that command work here by itself?",
    );
  }
  return parseRunSummary(stdout.slice(stdout.indexOf("{")), "what turbo says of a dry run");
}

function failed(message: string, hint: string): CuenvError {
  return new CuenvError("TURBO_SUMMARY", message, { hint });
}

function firstLine(
  taskId: string,
  before: RunSummary | undefined,
  causes: readonly TurboCause[],
): string {
  if (before === undefined) return `no earlier run of ${taskId} is known`;
  return causes[0]?.text ?? "nothing changed";
}

function documentOf({ taskId, task, before, causes, text }: Explained): object {
  const hash = before?.tasks.get(taskId)?.hash ?? null;
  const since =
    before === undefined
      ? null
      : {
          hash,
          startedAt:
            before.startedAt === undefined ? null : new Date(before.startedAt).toISOString(),
          commit: before.commit ?? null,
          turboVersion: before.turboVersion,
        };
  const { cached } = task;
  const outcome = cached === undefined ? "unknown" : cached === "no" ? "miss" : "hit";
  return { version: 1, task: taskId, outcome, hash: task.hash, text, causes, since };
}

function textOf({ taskId, task, before, causes, text }: Explained): string {
  const lines = [text];
  if (before === undefined)
    lines.push("cuenv turbo run … keeps a summary of each run (or turbo run … --summarize)");
  else {
    const started =
      before.startedAt === undefined ? "" : ` of ${new Date(before.startedAt).toISOString()}`;
    const commit = before.commit === undefined ? "" : `, commit ${before.commit.slice(0, 12)}`;
    lines.push(
      causes.length === 0
        ? `${taskId} has the hash that it had in the run${started}${commit}: ${task.hash}`
        : `since the run${started}${commit}:`,
      ...causes.map((cause) => `  ${cause.text}`),
    );
  }
  if (task.cached === "local" || task.cached === "remote")
    lines.push(`a run now would be a hit: turbo's ${task.cached} cache has ${task.hash}`);
  return `${lines.map(visibleText).join("\n")}\n`;
}
