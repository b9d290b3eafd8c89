import { randomInt } from "node:crypto";
import type { Streams } from "@cuenv/cache";
import { isReadable } from "@cuenv/config";
import { equalDigests } from "@cuenv/digest";
import { CuenvError, exitCodes } from "@cuenv/errors";
import type { Invocation } from "../command-line/command.ts";
import { flagText } from "../command-line/given.ts";
import { openProject, type OpenProject } from "../project/open-project.ts";
import { printOut } from "../report/terminal.ts";
import { comparedOutputs } from "../run/compared-outputs.ts";
import { type CachedOutcome, taskOutcomes } from "../verify/task-outcomes.ts";
import { removeOutputs } from "../verify/verify-task.ts";

interface Audited {
  readonly task: string;
  readonly key: string;
  /** same: it made what was stored. different: it did not. unknown: it failed, or its key is another one by now. */
  readonly verdict: "same" | "different" | "unknown";
  /** Paths of outputs that differ. */
  readonly outputs: readonly string[];
  /** What it printed another text to. */
  readonly streams: readonly StreamName[];
}

type StreamName = keyof Streams;

/**
 * `cuenv cache audit --rebuild N%`: takes results from the cache as a build would, runs a share of the tasks again and compares. A result
 * that was put there with a stolen key does not survive it; a task that does not give the same every time does not, either. Exit code 4; else that of the build.
 * `--outputs-only`: what they printed is not compared, for tasks that print how long they took.
 */
export async function runCacheAudit(invocation: Invocation): Promise<number> {
  const share = parseShare(flagText(invocation, "rebuild"));
  const open = await openProject(invocation);
  refuseUnread(open);
  const names = invocation.names.length > 0 ? invocation.names : cachedTasks(open);
  const before = await taskOutcomes(open, { names, force: false, quiet: false });
  if (before.isInterrupted) return before.exitCode;
  const hits = [...before.outcomes].filter(([, outcome]) => outcome.kind === "hit");
  const withStreams = invocation.flags["outputs-only"] !== true;
  const audited: Audited[] = [];
  for (const [task, outcome] of sample(hits, share)) {
    const rebuilt = await rebuild(open, task, outcome, withStreams);
    if ("interrupted" in rebuilt) return rebuilt.interrupted;
    audited.push(rebuilt);
  }
  const different = audited.filter(({ verdict }) => verdict === "different").length;
  if (invocation.flags["json"] === true)
    printOut(`${JSON.stringify({ version: 1, stored: hits.length, audited, different })}\n`);
  else printOut(text(audited, hits.length, different));
  // Else the build's own: where a task fails, less was looked at than was asked for.
  return different > 0 ? exitCodes.damage : before.exitCode;
}

/** Where nothing is taken from the cache, all tasks would run, and nothing be compared. */
function refuseUnread({ cache: { settings } }: OpenProject): void {
  if (settings.enabled && isReadable(settings.defaultMode)) return;
  const reason = settings.enabled ? `its mode is ${settings.defaultMode}` : "it is disabled";
  throw new CuenvError(
    "RUN_NOTHING_STORED",
    `cannot audit: nothing is read from the cache, since ${reason}`,
    {
      hint: "CUENV_CACHE=read asks it.",
    },
  );
}

function parseShare(value: string | undefined): number {
  const percent = /^(\d{1,3})%?$/.exec(value ?? "")?.[1];
  if (percent !== undefined && Number(percent) >= 1 && Number(percent) <= 100)
    return Number(percent) / 100;
  throw new CuenvError("USAGE", "cannot audit: --rebuild is not a share from 1% to 100%", {
    hint: "cuenv cache audit --rebuild 10%",
  });
}

function cachedTasks({ project }: OpenProject): readonly string[] {
  const names = Object.values(project.tasks).flatMap((task) =>
    task.kind === "command" && task.cache.enabled && task.action.kind !== "refused"
      ? [task.name]
      : [],
  );
  if (names.length > 0) return names;
  throw new CuenvError("USAGE", "cannot audit: no task of the project is cached");
}

interface Interrupted {
  /** The exit code that says so. */
  readonly interrupted: number;
}

/** At least one, if there is one; drawn anew each time, so that nobody knows which are looked at. */
function sample<Item>(items: readonly Item[], share: number): readonly Item[] {
  const left = [...items];
  const drawn: Item[] = [];
  const wanted = Math.min(items.length, Math.max(1, Math.round(items.length * share)));
  while (drawn.length < wanted) drawn.push(...left.splice(randomInt(left.length), 1));
  return drawn;
}

async function rebuild(
  open: OpenProject,
  task: string,
  stored: CachedOutcome,
  withStreams: boolean,
): Promise<Audited | Interrupted> {
  const key = stored.key ?? "";
  // A tool that finds them there may leave them as somebody else made them.
  removeOutputs(open, stored.state.outputs ?? []);
  const run = await taskOutcomes(open, { names: [task], force: true, quiet: false });
  const again = run.outcomes.get(task);
  const isComparable =
    again?.kind === "executed" && again.execution.succeeded && again.key === stored.key;
  if (!isComparable) {
    await taskOutcomes(open, { names: [task], force: false, quiet: true });
    if (run.isInterrupted) return { interrupted: run.exitCode };
    return { task, key, verdict: "unknown", outputs: [], streams: [] };
  }
  const outputs = comparedOutputs(stored.state.outputs ?? [], again.state.outputs ?? []);
  const streams = withStreams ? comparedStreams(stored.streams, again.streams) : [];
  const isDifferent = outputs.length + streams.length > 0;
  return { task, key, verdict: isDifferent ? "different" : "same", outputs, streams };
}

/** Only what both of them recorded. */
function comparedStreams(
  stored: Streams | undefined,
  again: Streams | undefined,
): readonly StreamName[] {
  return (["stdout", "stderr"] as const).filter((name) => {
    const [left, right] = [stored?.[name], again?.[name]];
    return left && right && !equalDigests(left, right);
  });
}

function text(audited: readonly Audited[], stored: number, different: number): string {
  const lines = audited.map(({ task, verdict, outputs, streams }) => {
    if (verdict === "same") return `same       ${task}`;
    if (verdict === "unknown") return `unknown    ${task}: it failed, or its inputs changed`;
    const more = outputs.length > 5 ? [`${outputs.length - 5} more`] : [];
    const printed = streams.map((name) => `what it printed to ${name}`);
    return `different  ${task}: ${[...outputs.slice(0, 5), ...more, ...printed].join(", ")}`;
  });
  const advice =
    different > 0
      ? "The task does not give the same every time, or somebody put the stored result there (docs/trust.md).\n"
      : "";
  return `${lines.join("\n")}${lines.length > 0 ? "\n" : ""}Ran ${audited.length} of ${stored} stored results again: ${different} different.\n${advice}`;
}
