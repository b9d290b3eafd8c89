import type { RunRecord } from "@cuenv/cache";
import { CuenvError, exitCodes } from "@cuenv/errors";
import { getTaskCacheMode, isWritable } from "@cuenv/config";
import {
  installSignalHandling,
  interruptExitCode,
  keepHeapSmallFor,
  keepSparePipes,
  type Plan,
  runPlan,
  type RunSummary,
} from "@cuenv/runner";
import { formatLocation, reportError } from "../report/report-error.ts";
import { printErr } from "../report/terminal.ts";
import { createRunContext, openCache, type RunContextOptions } from "./create-run-context.ts";
import { executeNode } from "./execute-node.ts";
import { likelyMisses } from "./likely-misses.ts";
import type { NodePayload } from "./run-context.ts";
import { observedReporter, type RunObserver } from "./run-observer.ts";
import { createRunReporter, type RunReporter } from "./run-reporter.ts";

export interface RunTasksOptions extends RunContextOptions {
  readonly jobs: number | undefined;
  readonly verbose: boolean;
  readonly continueOnError: boolean;
  /** Entries that are not trusted make the run fail, though its tasks succeeded. */
  readonly strictSignatures: boolean;
  /** The tasks of the plan with all that they depend on: what is not in `plan` somebody else ran before, and it is taken as it is. */
  readonly wholePlan?: Plan | undefined;
  /** Aborting it ends the run as Ctrl-C does. */
  readonly signal?: AbortSignal | undefined;
  /** Told what happens, besides people. */
  readonly observer?: RunObserver | undefined;
}

/** Runs a plan through the cache. What people read goes to stderr, the tasks' output to its own streams (all to stderr with `json`). */
export async function runTasks(options: RunTasksOptions): Promise<RunSummary<NodePayload>> {
  const lost: Error[] = [];
  const summary = await runThrough({ ...options, onOutputLost: (error) => lost.push(error) });
  return lost[0] === undefined ? summary : cutSummary(summary, lost[0]);
}

async function runThrough(options: RunTasksOptions): Promise<RunSummary<NodePayload>> {
  const { open, plan } = options;
  const { settings } = open.cache;
  const modes = plan.nodes.map(({ task }) => getTaskCacheMode(settings, task.cache));
  const single = plan.nodes.length === 1;
  const cacheOff = !settings.enabled || settings.defaultMode === "off" || options.uncached === true;
  const { observer } = options;
  const reporter = observedReporter(
    quietReporter(createRunReporter({ verbose: options.verbose, single, cacheOff }), options.quiet),
    observer,
  );
  warnOf(open.project.warnings, cacheOff, reporter);
  const cache =
    options.uncached === true || modes.every((mode) => mode === "off")
      ? undefined
      : openCache(open, modes.some(isWritable), reporter);
  keepHeapSmallFor(plan);
  if (cache?.sparePipes !== undefined) keepSparePipes(cache.sparePipes);
  const controller = new AbortController();
  const removeHandlers = installSignalHandling({
    onInterrupt: (reason) => controller.abort(reason),
  });
  const onAbort = (): void => controller.abort(options.signal?.reason);
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const run = createRunContext(options, cache, reporter, controller.signal);
    if (options.wholePlan !== undefined && cache !== undefined) {
      const { takenStates } = await import("./taken-states.ts");
      run.taken = await takenStates(run, cache.engine, plan, options.wholePlan, controller.signal);
    }
    const notes: Promise<void>[] = [];
    const { NX_TASK_HASH: hash } = process.env;
    const { wholePlan: whole } = options;
    if (options.uncached === true && hash !== undefined && whole !== undefined) {
      // Loaded while the task's process runs: it is in nobody's way then.
      run.onStarted = (node, resolved) => {
        const noting = import("../nx/note-inputs.ts").then(({ noteInputs }) =>
          noteInputs({ run, reporter, plan, whole, hash }, node, resolved),
        );
        notes.push(noting);
      };
    }
    const first = likelyMisses(plan, options.jobs, cache?.engine);
    const summary = await runPlan<NodePayload>(plan, {
      ...(options.jobs === undefined ? {} : { jobs: options.jobs }),
      ...(first === undefined ? {} : { first }),
      continueOnError: options.continueOnError,
      signal: controller.signal,
      execute: (node, context) => executeNode(run, node, context),
      onEvent: (event) => {
        if (event.kind === "started") observer?.started(event.node);
        if (event.kind !== "finished") return;
        if (event.outcome.status === "errored") reportError(event.outcome.error, false);
        reporter.finished(event.node, event.outcome);
      },
    });
    await Promise.all(notes);
    const record = await cache?.close(controller.signal);
    reporter.summary(summary, record?.savedMs ?? 0);
    // Interrupted while it tidied up, too: who pressed Ctrl-C does not want what would come next.
    const { aborted, reason } = controller.signal;
    if (aborted) return { ...summary, exitCode: interruptExitCode(reason) };
    return options.strictSignatures ? strictSummary(summary, record) : summary;
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    removeHandlers();
  }
}

function warnOf(
  warnings: RunTasksOptions["open"]["project"]["warnings"],
  cacheOff: boolean,
  reporter: RunReporter,
): void {
  for (const { message, location, about } of warnings) {
    if (about === "cache" && cacheOff) continue;
    const place = location === undefined ? "" : `${formatLocation(location)}: `;
    reporter.warn(message, `${place}${message}`);
  }
}

/** Only what went wrong is told. */
function quietReporter(reporter: RunReporter, quiet = false): RunReporter {
  if (!quiet) return reporter;
  const silent = (): void => {};
  return {
    ...reporter,
    missed: silent,
    waiting: silent,
    uncached: silent,
    summary: silent,
    finished: (node, outcome) => {
      if (outcome.status !== "succeeded") reporter.finished(node, outcome);
    },
  };
}

/** Of a run whose output is cut: whoever put it into a file must not take that for the whole. A failed task keeps its own exit code. */
function cutSummary(summary: RunSummary<NodePayload>, cause: Error): RunSummary<NodePayload> {
  const error = new CuenvError("OUTPUT_UNWRITABLE", `cannot write to stdout: ${cause.message}`, {
    hint: "The tasks ran, or were hits; what they printed is cut.",
    cause,
  });
  const exitCode = reportError(error, false);
  return summary.exitCode === 0 ? { ...summary, exitCode } : summary;
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
