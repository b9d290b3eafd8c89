import { openCacheEngine, type OpenedCacheEngine, type RunRecord } from "@cuenv/cache";
import { exitCodes } from "@cuenv/errors";
import { type EnvironmentValue, getTaskCacheMode, isWritable, type Project } from "@cuenv/config";
import {
  createDescriptorSink,
  createMasker,
  createOutput,
  createSecretResolver,
  installSignalHandling,
  interruptExitCode,
  type OutputMode,
  type Plan,
  runPlan,
  type RunSummary,
} from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import { noting } from "../report/fresh-line.ts";
import { formatLocation, reportError } from "../report/report-error.ts";
import { colorsAllowed, flushErr, printErr } from "../report/terminal.ts";
import { cuenvVersion } from "../version.ts";
import { executeNode } from "./execute-node.ts";
import { hostEnvironment } from "./host-environment.ts";
import type { NodePayload, RunContext } from "./run-context.ts";
import { createRunReporter, type RunReporter } from "./run-reporter.ts";

export interface RunTasksOptions {
  readonly open: OpenProject;
  readonly plan: Plan;
  readonly force: boolean;
  readonly jobs: number | undefined;
  readonly verbose: boolean;
  readonly json: boolean;
  readonly continueOnError: boolean;
  readonly outputMode: OutputMode | undefined;
  /** Entries that are not trusted make the run fail, though its tasks succeeded. */
  readonly strictSignatures: boolean;
}

/** Runs a plan through the cache. What people read goes to stderr, the tasks' output to its own streams (all to stderr with `json`). */
export async function runTasks(options: RunTasksOptions): Promise<RunSummary<NodePayload>> {
  const { open, plan } = options;
  const { settings } = open.cache;
  const modes = plan.nodes.map(({ task }) => getTaskCacheMode(settings, task.cache));
  const single = plan.nodes.length === 1;
  const cacheOff = !settings.enabled || settings.defaultMode === "off";
  const reporter = createRunReporter({ verbose: options.verbose, single, cacheOff });
  for (const { message, location, about } of open.project.warnings) {
    if (about === "cache" && cacheOff) continue;
    const place = location === undefined ? "" : `${formatLocation(location)}: `;
    reporter.warn(message, `${place}${message}`);
  }
  const cache = modes.every((mode) => mode === "off")
    ? undefined
    : openCache(open, modes.some(isWritable), reporter);
  const controller = new AbortController();
  const removeHandlers = installSignalHandling({
    onInterrupt: (reason) => controller.abort(reason),
  });
  try {
    const run = runContext(options, cache, reporter, controller.signal);
    const summary = await runPlan<NodePayload>(plan, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      continueOnError: options.continueOnError,
      signal: controller.signal,
      execute: (node, context) => executeNode(run, node, context),
      onEvent: (event) => {
        if (event.kind !== "finished") return;
        if (event.outcome.status === "errored") reportError(event.outcome.error, false);
        reporter.finished(event.node, event.outcome);
      },
    });
    const record = await cache?.close(controller.signal);
    reporter.summary(summary, record?.savedMs ?? 0);
    // Interrupted while it tidied up, too: who pressed Ctrl-C does not want what would come next.
    const { aborted, reason } = controller.signal;
    if (aborted) return { ...summary, exitCode: interruptExitCode(reason) };
    return options.strictSignatures ? strictSummary(summary, record) : summary;
  } finally {
    removeHandlers();
  }
}

/** A failed task keeps its own exit code. */
function strictSummary(
  summary: RunSummary<NodePayload>,
  record: RunRecord | undefined,
): RunSummary<NodePayload> {
  const refused = Object.entries(record?.refused ?? {});
  if (refused.length === 0 || summary.exitCode !== 0) return summary;
  const counts = refused.map(([reason, count]) => `${reason} ${count}`).join(", ");
  printErr(
    `error: stored results were not trusted (${counts}), and --strict-signatures asks for that\n`,
  );
  return { ...summary, exitCode: exitCodes.internal };
}

function openCache(open: OpenProject, writes: boolean, reporter: RunReporter): OpenedCacheEngine {
  return openCacheEngine({
    settings: open.cache.settings,
    trust: open.trust,
    workspaceRoot: open.workspaceRoot,
    projectPath: open.projectPath,
    version: cuenvVersion(),
    readOnly: !writes,
    onEvent: (event) => reporter.cacheEvent(event),
  });
}

function runContext(
  options: RunTasksOptions,
  cache: OpenedCacheEngine | undefined,
  reporter: RunReporter,
  signal: AbortSignal,
): RunContext {
  const { open, plan, json } = options;
  const stderr = noting(2, createDescriptorSink(2), flushErr);
  const stdout = json ? stderr : noting(1, createDescriptorSink(1), flushErr);
  const mode = options.outputMode ?? defaultMode(plan);
  const host = hostEnvironment(open);
  return {
    open,
    settings: open.cache.settings,
    engine: cache?.engine,
    hostEnvironment: host,
    force: options.force,
    output: createOutput({
      mode,
      stdout,
      stderr,
      colors: colorsAllowed(process.env, process.stdout.isTTY && !json),
      names: plan.nodes.map((node) => node.name),
      github: process.env["GITHUB_ACTIONS"] === "true",
    }),
    direct: plan.nodes.length === 1 && mode === "raw" && !json,
    masker: createMasker(),
    resolveSecret: createSecretResolver({
      cwd: open.projectDirectory,
      env: host,
      signal,
    }),
    outputs: new Map(),
    referenced: referencedTasks(open.project),
    reporter,
  };
}

/** One task has its streams to itself; of several, lines carry the name, but in CI each task's output stands together. */
function defaultMode(plan: Plan): OutputMode {
  if (plan.nodes.length === 1) return "raw";
  const { CI: ci } = process.env;
  return ci !== undefined && ci !== "" && ci !== "false" ? "grouped" : "prefixed";
}

/** The tasks whose output others use as arguments or variables. */
function referencedTasks(project: Project): ReadonlySet<string> {
  const names = new Set<string>();
  const addFrom = (value: EnvironmentValue): void => {
    if (typeof value === "string") return;
    if (value.kind === "taskOutput") names.add(value.task);
    if (value.kind === "joined") value.parts.forEach(addFrom);
  };
  Object.values(project.env).forEach(addFrom);
  for (const task of Object.values(project.tasks)) {
    if (task.kind !== "command") continue;
    Object.values(task.env).forEach(addFrom);
    if (task.action.kind === "argv") task.action.argv.forEach(addFrom);
  }
  return names;
}
