import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Cause, explainMiss } from "@cuenv/cache/explanation";
import { CuenvError } from "@cuenv/errors";
import { planRun } from "@cuenv/runner";
import type { Invocation } from "../command-line/command.ts";
import { oneName } from "../command-line/given.ts";
import { type ChangedNode, changedNodes } from "../nx/changed-nodes.ts";
import { currentInputs } from "../nx/note-inputs.ts";
import { type NotedInputs, readNotedInputs } from "../nx/noted-inputs.ts";
import { type PluginOptions, pluginOptions } from "../nx/plugin-options.ts";
import { nxRoot, type RecordedTask, recordedTask } from "../nx/recorded-runs.ts";
import { causeLines } from "../preview/cause-lines.ts";
import { causeDocument } from "../preview/preview-document.ts";
import {
  isUnknownEnvironment,
  openProject,
  type OpenOptions,
  type OpenProject,
} from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { visibleText } from "../report/visible-text.ts";
import { createRunContext, openCache } from "../run/create-run-context.ts";
import { resolveNode } from "../run/resolve-node.ts";
import { createRunReporter } from "../run/run-reporter.ts";

/** `cuenv nx why PROJECT:TARGET`: what changed since Nx ran it last, and what had changed then. Offline, and without Nx. */
export async function runNxWhy(invocation: Invocation): Promise<number> {
  const taskId = oneName(invocation, "target, like app:build");
  const [, target] = /^[^:]+:(.+)$/.exec(taskId) ?? [];
  if (target === undefined)
    throw new CuenvError("USAGE", `cannot explain ${taskId}: it is not like app:build`, {
      hint: "A project and a target, as nx run takes them.",
    });
  const root = nxRoot(process.cwd());
  const recorded = recordedTask(root, taskId);
  const explained = await explain(invocation, { taskId, target, root, recorded });
  printOut(
    invocation.flags["json"] === true
      ? `${JSON.stringify(documentOf(explained))}\n`
      : textOf(explained),
  );
  return 0;
}

interface Asked {
  readonly taskId: string;
  readonly target: string;
  readonly root: string;
  readonly recorded: RecordedTask | undefined;
}

interface Explained {
  readonly taskId: string;
  readonly text: string;
  /** What is not as it was in that run; undefined: it cannot be told. */
  readonly causes: readonly Cause[] | undefined;
  readonly since: NotedInputs | undefined;
  readonly recorded: RecordedTask | undefined;
  /** Between the last run and the one before. */
  readonly changes: readonly ChangedNode[];
}

async function explain(invocation: Invocation, asked: Asked): Promise<Explained> {
  const { taskId, recorded } = asked;
  const [last, before] = recorded?.runs ?? [];
  const changes = last === undefined || before === undefined ? [] : changedNodes(before, last);
  const { since, causes } =
    recorded === undefined ? nothing : await compared(invocation, asked, recorded);
  const text = firstLine(taskId, recorded, causes);
  return { taskId, text, causes, since, recorded, changes };
}

const nothing = { since: undefined, causes: undefined };

function firstLine(
  taskId: string,
  recorded: RecordedTask | undefined,
  causes: readonly Cause[] | undefined,
): string {
  if (recorded === undefined) return `no earlier run of ${taskId} is known`;
  if (causes === undefined) return `what ${taskId} read in its last run is not known here`;
  return causes[0]?.text ?? "nothing changed since the last run";
}

/** What the task's key would be made of now, beside what it was made of in the last run that executed it here. */
async function compared(
  invocation: Invocation,
  { target, root }: Asked,
  recorded: RecordedTask,
): Promise<Pick<Explained, "since" | "causes">> {
  const directory = join(root, recorded.root);
  if (!existsSync(join(directory, "env.cue"))) return nothing;
  const found = await openTarget(invocation, directory, target, pluginOptions(root));
  if (found === undefined) return nothing;
  const { open, task } = found;
  const noted = readNotedInputs(open, task);
  const hashes = recorded.runs.map(({ hash }) => hash);
  const since = hashes.flatMap((hash) => noted.find((run) => run.hash === hash) ?? [])[0];
  if (since === undefined) return nothing;
  const now = await inputsNow(open, task);
  return now === undefined ? nothing : { since, causes: explainMiss(since.keyInputs, now) };
}

/** The project as it is for a target, and the target's task. A target with a configuration behind it is the task in that environment. */
async function openTarget(
  invocation: Invocation,
  directory: string,
  target: string,
  { environment, package: packageName }: PluginOptions,
): Promise<{ readonly open: OpenProject; readonly task: string } | undefined> {
  const open = await openInOption(invocation, { directory, environment, packageName });
  const taskOf = (name: string): string | undefined =>
    Object.keys(open.project.tasks).find((each) => targetOf(each) === name);
  const task = taskOf(target);
  if (task !== undefined) return { open, task };
  const [, name = "", configuration = ""] = /^(.+):([^:]+)$/.exec(target) ?? [];
  const configured = taskOf(name);
  if (configured === undefined || !open.project.environments.includes(configuration))
    return undefined;
  const inIt = { directory, environment: configuration, packageName };
  return { open: await openProject(invocation, inIt), task: configured };
}

/** As the plugin does it: a project that does not have the environment of its options is as it is without one. */
async function openInOption(invocation: Invocation, options: OpenOptions): Promise<OpenProject> {
  try {
    return await openProject(invocation, options);
  } catch (error) {
    if (options.environment === undefined || !isUnknownEnvironment(error)) throw error;
    return openProject(invocation, { ...options, environment: null });
  }
}

/** The target of a task, as `@cuenv/nx` names it. */
function targetOf(task: string): string {
  return task.replaceAll(/\[(\d+)\]/g, ".$1").replaceAll(/[*?[\]{}()!^,|+@]/g, "_");
}

async function inputsNow(open: OpenProject, name: string) {
  const plan = planRun(open.project, { names: [name], withDependencies: false });
  const [node] = plan.nodes;
  if (node === undefined || plan.nodes.length > 1) return undefined;
  const whole = planRun(open.project, { names: [name], withRefused: true });
  const reporter = createRunReporter({ verbose: false, single: true, cacheOff: false });
  const { engine } = openCache(open, false, reporter);
  const { signal } = new AbortController();
  const asked = { open, plan, force: false, json: true, outputMode: undefined };
  const run = createRunContext(asked, undefined, reporter, signal);
  const silent = { stdout: () => {}, stderr: () => {} };
  const resolved = await resolveNode(run, node, silent, signal);
  return currentInputs({ run, plan, whole, engine }, node, resolved);
}

function documentOf({ taskId, text, causes, since, recorded, changes }: Explained): object {
  const [last, before] = recorded?.runs ?? [];
  return {
    version: 1,
    task: taskId,
    outcome: causes === undefined ? "unknown" : causes.length === 0 ? "unchanged" : "changed",
    text,
    causes: (causes ?? []).map(causeDocument),
    since: since === undefined ? null : { hash: since.hash, at: since.at },
    lastRun: last === undefined ? null : { hash: last.hash, at: last.at, status: last.status },
    runBefore:
      before === undefined ? null : { hash: before.hash, at: before.at, status: before.status },
    changes,
  };
}

function textOf({ taskId, text, causes, since, recorded, changes }: Explained): string {
  const [last, before] = recorded?.runs ?? [];
  const lines = [text];
  if (recorded === undefined)
    lines.push("@cuenv/nx keeps what Nx hashed in each run: is it in the plugins of nx.json?");
  if (since !== undefined && causes !== undefined && causes.length > 0)
    lines.push(`since the run of ${since.at}, hash ${since.hash}:`, ...causes.flatMap(causeLines));
  if (last !== undefined && before !== undefined)
    lines.push(
      `the last run, of ${last.at} (${last.status}), had another hash than that of ${before.at}:`,
      ...changes.map((change) => `  ${change.text}`),
    );
  else if (last !== undefined)
    lines.push(`${taskId} has had one hash only: ${last.hash} (${last.status}, ${last.at})`);
  return `${lines.map(visibleText).join("\n")}\n`;
}
