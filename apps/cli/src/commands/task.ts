import { readEnvironmentSwitches } from "@cuenv/config";
import { type OutputMode, planChecked, planRun } from "@cuenv/runner";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { type OpenProject, openProject } from "../project/open-project.ts";
import { stepSummaryFile } from "../report/step-summary-file.ts";
import { printOut } from "../report/terminal.ts";
import { type RunDocument, runDocument } from "../run/run-document.ts";
import { definitionVariable } from "../run/host-environment.ts";
import type { TaskScope } from "../run/run-context.ts";
import { runTasks } from "../run/run-tasks.ts";
import { taskList } from "../run/task-list.ts";

/** `cuenv task`: runs the named tasks and what they need; lists all without a name. */
export async function runTaskCommand(invocation: Invocation): Promise<number> {
  const { flags, names, rest } = invocation;
  const json = flags["json"] === true;
  const switches = readEnvironmentSwitches(process.env);
  const asked = {
    force: flags["force"] === true,
    jobs: parseJobs(flags["jobs"]),
    verbose: flags["verbose"] === true || switches.debug,
    continueOnError: flags["continue-on-error"] === true,
    outputMode: parseOutputMode(flags["output"]),
    replay: parseWhich("replay", flags["replay"]),
    strictSignatures: flags["strict-signatures"] === true,
  };
  const traceFile = runFile(invocation, "trace") ?? switches.traceFile;
  const summaryFile = runFile(invocation, "summary");
  refuseTogether(invocation);
  const startMs = process.uptime() * 1000;
  if (flags["watch"] === true) {
    const { watchTasks } = await import("../watch/watch-tasks.ts");
    return watchTasks(invocation, {
      ...asked,
      onRun: async (summary, open) => {
        await report(runDocument(summary), summaryFile);
        if (switches.stats) await tellStatistics(open);
      },
    });
  }
  const open = await openProject(invocation);
  const openedMs = process.uptime() * 1000;
  if (names.length === 0) {
    printOut(taskList(open.project, json));
    return 0;
  }
  const only = flags["only"] === true;
  const plan = planChecked(open.project, { names, args: rest ?? [], withDependencies: !only });
  if (process.env[definitionVariable] !== undefined) {
    const { assertDefinition } = await import("../run/assert-definition.ts");
    assertDefinition(open, plan);
  }
  if (flags["dry-run"] === true) {
    const { runDryRun } = await import("./dry-run.ts");
    return runDryRun(open, plan, { force: asked.force, json, summaryFile });
  }
  const trace =
    traceFile === undefined ? undefined : (await import("../trace/create-trace.ts")).createTrace();
  const summary = await runTasks({
    open,
    plan,
    wholePlan: only ? planRun(open.project, { names, withRefused: true }) : undefined,
    ...asked,
    uncached: flags["uncached"] === true,
    json,
    download: parseWhich("download", flags["download"]),
    observer: trace?.observer,
  });
  const document = runDocument(summary);
  if (json) printOut(`${JSON.stringify(document)}\n`);
  await report(document, summaryFile);
  if (trace !== undefined && traceFile !== undefined) {
    trace.phase("start", 0, startMs);
    trace.phase("evaluate", startMs, openedMs);
    const { writeRunFile } = await import("../report/write-run-file.ts");
    writeRunFile("trace", traceFile, trace.text());
  }
  if (switches.stats) await tellStatistics(open);
  return summary.exitCode;
}

async function tellStatistics(open: OpenProject): Promise<void> {
  const { reportStatistics } = await import("../statistics/report-statistics.ts");
  await reportStatistics(open);
}

async function report(document: RunDocument, summaryFile: string | undefined): Promise<void> {
  if (summaryFile !== undefined) {
    const { writeRunFile } = await import("../report/write-run-file.ts");
    writeRunFile("summary", summaryFile, `${JSON.stringify(document)}\n`);
  }
  const stepFile = stepSummaryFile(process.env);
  if (stepFile !== undefined) {
    const { appendStepSummary } = await import("../report/step-summary.ts");
    appendStepSummary(stepFile, document);
  }
}

/** Flags that contradict each other. A watch has no end of its own, so nothing that is told once at the end of a run. */
function refuseTogether({ flags, names, rest }: Invocation): void {
  const refuse = (flag: string, others: readonly string[], reason: string): void => {
    const other = others.find((each) => flags[each] !== undefined);
    if (flags[flag] === true && other !== undefined)
      throw new CuenvError("USAGE", `cannot use --${flag} with --${other}: ${reason}`);
  };
  refuse("watch", ["json", "dry-run", "trace", "only", "uncached"], "a watch is many runs");
  refuse("watch", ["download"], "the next run looks at what this one leaves on disk");
  refuse("dry-run", ["only", "uncached"], "a dry run runs nothing");
  if (flags["watch"] === true && names.length === 0)
    throw new CuenvError("USAGE", "cannot use --watch: no task was named", {
      hint: "cuenv task lists the tasks.",
    });
  const [argument] = rest ?? [];
  if (names.length === 0 && argument !== undefined)
    throw new CuenvError(
      "USAGE",
      `cannot give ${JSON.stringify(argument)} to a task: none was named`,
      {
        hint: "The names of tasks stand before --, their arguments behind it.",
      },
    );
}

/** Where something about the run goes. A list of tasks is no run, and there is nothing to time in one that is only planned. */
function runFile(invocation: Invocation, flag: "summary" | "trace"): string | undefined {
  const file = flagText(invocation, flag);
  if (file === undefined) return undefined;
  const { flags, names } = invocation;
  const reason =
    file === ""
      ? "it names no file"
      : names.length === 0
        ? "no task was named"
        : flag === "trace" && flags["dry-run"] === true
          ? "--dry-run runs nothing"
          : undefined;
  if (reason === undefined) return file;
  throw new CuenvError("USAGE", `cannot use --${flag}: ${reason}`);
}

function parseJobs(value: string | boolean | undefined): number | undefined {
  if (typeof value !== "string") return undefined;
  if (/^[1-9][0-9]{0,3}$/.test(value)) return Number(value);
  throw new CuenvError("USAGE", `cannot use --jobs ${value}: not a whole number from 1 to 9999`);
}

const outputModes: readonly OutputMode[] = ["raw", "prefixed", "grouped"];

function parseOutputMode(value: string | boolean | undefined): OutputMode | undefined {
  if (typeof value !== "string") return undefined;
  const mode = outputModes.find((candidate) => candidate === value);
  if (mode !== undefined) return mode;
  throw new CuenvError(
    "USAGE",
    `cannot use --output ${value}: the modes are ${outputModes.join(", ")}`,
  );
}

const which: readonly TaskScope[] = ["all", "toplevel", "none"];

function parseWhich(flag: string, value: string | boolean | undefined): TaskScope | undefined {
  if (typeof value !== "string") return undefined;
  const found = which.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new CuenvError("USAGE", `cannot use --${flag} ${value}: there are ${which.join(", ")}`);
}
