import { writeFileSync } from "node:fs";
import { planRun, type OutputMode } from "@cuenv/runner";
import { CuenvError } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { openProject } from "../project/open-project.ts";
import { printErr, printOut } from "../report/terminal.ts";
import { runDocument } from "../run/run-document.ts";
import { runTasks } from "../run/run-tasks.ts";
import { taskList } from "../run/task-list.ts";

/** `cuenv task`: runs the named tasks and what they need; lists all without a name. */
export async function runTaskCommand(invocation: Invocation): Promise<number> {
  const { flags, names, rest } = invocation;
  const json = flags["json"] === true;
  const jobs = parseJobs(flags["jobs"]);
  const outputMode = parseOutputMode(flags["output"]);
  const open = await openProject(invocation);
  if (names.length === 0) {
    printOut(taskList(open.project, json));
    return 0;
  }
  const plan = planRun(open.project, { names, args: rest ?? [] });
  if (flags["dry-run"] === true) {
    const { runDryRun } = await import("./dry-run.ts");
    return runDryRun(open, plan, { force: flags["force"] === true, json });
  }
  const summary = await runTasks({
    open,
    plan,
    force: flags["force"] === true,
    jobs,
    verbose: flags["verbose"] === true,
    json,
    continueOnError: flags["continue-on-error"] === true,
    outputMode,
    strictSignatures: flags["strict-signatures"] === true,
  });
  const document = `${JSON.stringify(runDocument(summary))}\n`;
  if (json) printOut(document);
  if (typeof flags["summary"] === "string") writeSummary(flags["summary"], document);
  return summary.exitCode;
}

/** The run is over, and what it gave stays what it is: a summary that cannot be written is a warning. */
function writeSummary(path: string, document: string): void {
  try {
    writeFileSync(path, document);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printErr(`warning: cannot write the summary: ${reason}\n`);
  }
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
