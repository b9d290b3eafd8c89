import type { CacheEvent, Miss } from "@cuenv/cache";
import type { NodeOutcome, PlanNode, ProcessOutcome, RunSummary } from "@cuenv/runner";
import { painterOf, printErr, printErrSoon } from "../report/terminal.ts";
import { visibleLines, visibleText } from "../report/visible-text.ts";
import { formatDuration } from "./format-duration.ts";
import type { NodePayload } from "./run-context.ts";

/** What a person is told of a run, on stderr, beside the output of the tasks. */
export interface RunReporter {
  warn(cause: string, message: string): void;
  cacheEvent(event: CacheEvent): void;
  missed(node: PlanNode, miss: Miss): void;
  waiting(node: PlanNode): void;
  uncached(node: PlanNode): void;
  /** The task ended well, but a process that it started still holds its output: nobody knows the whole of it. */
  leftBehind(node: PlanNode): void;
  retrying(node: PlanNode, attempt: number, failed: ProcessOutcome): void;
  notStarted(
    node: PlanNode,
    outcome: { readonly message: string; readonly hint: string | undefined },
  ): void;
  finished(node: PlanNode, outcome: NodeOutcome<NodePayload>): void;
  summary(summary: RunSummary<NodePayload>, savedMs: number): void;
}

export interface RunReporterOptions {
  readonly verbose: boolean;
  /** One task whose output is its own: then only what matters is said. */
  readonly single: boolean;
  /** With the cache off nothing is said that the task does not say itself. */
  readonly cacheOff: boolean;
}

/** How many failed tasks the last line names. */
const maxNames = 5;

export function createRunReporter(options: RunReporterOptions): RunReporter {
  const paint = painterOf(2);
  const warned = new Set<string>();
  /** By task. Told when the task runs: a hit was told it when it was stored. */
  const lacking = new Map<string, readonly string[]>();
  const line = (node: PlanNode, text: string): string =>
    `${paint("dim", "cuenv")} ${node.name}: ${text}\n`;
  const say: Say = (node, text) => printErr(line(node, text));
  const saySoon: Say = (node, text) => printErrSoon(line(node, text));
  const warn = (cause: string, message: string): void => {
    if (warned.has(cause)) return;
    warned.add(cause);
    printErr(`${paint("yellow", "warning")}: ${visibleLines(message)}\n`);
  };
  return {
    warn,
    cacheEvent: (event) => {
      if (event.type === "trouble") warn(rootCause(event), visibleText(event.message));
      if (event.type === "outputNotMade")
        warn(
          `${event.task} ${event.output}`,
          `${event.task} did not make its output ${event.output}`,
        );
      if (event.type === "inputNotFound")
        lacking.set(event.task, [...(lacking.get(event.task) ?? []), event.message]);
      if ((event.type === "note" || event.type === "inputNotFound") && options.verbose)
        printErr(`${paint("dim", "cuenv")} ${event.task}: ${visibleLines(event.message)}\n`);
      if (event.type === "notStored") warnNotStored(warn, event);
      if (event.type === "flushing")
        printErr(
          `${paint("dim", "cuenv")} sending ${event.pending} ${event.pending === 1 ? "result" : "results"} to ${event.remote} …\n`,
        );
    },
    missed: (node, miss) => {
      say(node, `${paint("yellow", "miss")}, ${visibleText(miss.text)}`);
      // To --verbose it was said, hit or miss.
      const messages = options.verbose ? [] : (lacking.get(node.name) ?? []);
      for (const message of messages) warn(`${node.name} ${message}`, `${node.name}: ${message}`);
    },
    waiting: (node) => say(node, "waiting for another cuenv that runs the same"),
    uncached: (node) => {
      if (options.verbose) say(node, `not cached${uncachedReason(node, options.cacheOff)}`);
    },
    leftBehind: (node) =>
      warn(
        `leftBehind ${node.name}`,
        `${node.name} is not stored: it left a process behind that holds its output open`,
      ),
    retrying: (node, attempt, failed) =>
      say(node, `attempt ${attempt} ${endOf(failed)}; trying again`),
    notStarted: (_, { message, hint }) => {
      printErr(
        `${paint("red", "error")}: ${visibleLines(message)}\n${hint === undefined ? "" : `${paint("cyan", "hint")}: ${visibleLines(hint)}\n`}`,
      );
    },
    finished: (node, outcome) =>
      finished(options, paint, isHit(outcome) ? saySoon : say, node, outcome),
    summary: (summary, savedMs) => {
      if (!options.single) printErr(`${summaryLine(paint, summary, savedMs)}\n`);
    },
  };
}

/** What keeps a result from being stored: told once where it concerns all tasks, and not at all where the store told it itself. */
function warnNotStored(
  warn: RunReporter["warn"],
  { task, reason, detail }: CacheEvent & { readonly type: "notStored" },
): void {
  if (reason === "storeUnavailable") return;
  if (reason === "untrustedSigner") warn("signer", `results are not stored: ${detail}`);
  else warn(`notStored ${task}`, `${task} is not stored: ${detail}`);
}

/** A full disk fails a restore, and then the store: that is one cause, and one line. */
function rootCause({ cause, message }: CacheEvent & { readonly type: "trouble" }): string {
  if (cause !== "unavailable" && cause !== "restoreFailed") return cause;
  return (
    /\b(?:ENOSPC|EDQUOT|EROFS|EACCES|EPERM|EMFILE|ENFILE|EIO|EFBIG)\b/.exec(message)?.[0] ?? cause
  );
}

type Paint = ReturnType<typeof painterOf>;
type Say = (node: PlanNode, text: string) => void;

function isHit(outcome: NodeOutcome<NodePayload>): boolean {
  return outcome.status === "succeeded" && outcome.payload.cache?.kind === "hit";
}

function uncachedReason(node: PlanNode, cacheOff: boolean): string {
  if (cacheOff) return ": the cache is off";
  return node.task.cache.disabledReason === "undeclared"
    ? ": it declares neither inputs nor outputs (cache: true caches it all the same)"
    : ": the task says so";
}

function finished(
  options: RunReporterOptions,
  paint: Paint,
  say: Say,
  node: PlanNode,
  outcome: NodeOutcome<NodePayload>,
): void {
  switch (outcome.status) {
    case "succeeded": {
      const { cache } = outcome.payload;
      if (cache?.kind === "hit") say(node, hitText(paint, options, cache));
      else if (cache !== undefined) {
        const key = options.verbose && cache.key !== undefined ? `, key ${cache.key}` : "";
        say(
          node,
          `ran in ${formatDuration(outcome.durationMs)}${cache.stored ? ", stored" : ""}${key}`,
        );
      } else if (!options.single)
        say(node, `ran in ${formatDuration(outcome.durationMs)}, not cached`);
      break;
    }
    case "errored":
      // The error says why, and not whose it is.
      if (!options.single) say(node, paint("red", "could not be started"));
      break;
    case "skipped":
      if (options.verbose && outcome.reason.kind !== "interrupted")
        say(node, `skipped, because ${outcome.reason.task} failed`);
      break;
    default:
      // Else the exit code says it; of a signal only to who knows what 137 is, and with the cache off we say nothing that a shell does not.
      if (
        !options.single ||
        outcome.status === "timedOut" ||
        (outcome.status === "signalled" && !options.cacheOff) ||
        node.task.continueOnError
      )
        say(node, paint("red", endOf(outcome)));
  }
}

function hitText(
  paint: Paint,
  options: RunReporterOptions,
  hit: {
    readonly savedMs: number;
    readonly restoredFiles: number;
    readonly key: string;
    readonly tier: string;
    readonly isOutputLeft: boolean;
  },
): string {
  const from = hit.tier === "disk" ? "" : ` from ${hit.tier}`;
  const parts = [`${paint("green", "hit")}${from}`, `saved ${formatDuration(hit.savedMs)}`];
  if (hit.restoredFiles > 0)
    parts.push(`restored ${hit.restoredFiles} ${hit.restoredFiles === 1 ? "file" : "files"}`);
  if (hit.isOutputLeft) parts.push("its outputs are left there");
  if (options.verbose) parts.push(`key ${hit.key}`);
  return parts.join(", ");
}

/** How a process ended, for a sentence. */
export function endOf(outcome: ProcessOutcome): string {
  switch (outcome.status) {
    case "succeeded":
      return "succeeded";
    case "failed":
      return `failed with exit code ${outcome.exitCode}`;
    case "signalled":
      return `was ended by ${outcome.signal}`;
    case "timedOut":
      return `was ended after its timeout of ${formatDuration(outcome.timeoutMs)}`;
    case "cancelled":
      return "was interrupted";
    case "notFound":
    case "notExecutable":
      return "could not be started";
  }
}

/** What each of them printed may stand far above. */
function fewNames(names: readonly string[]): string {
  const more = names.length - maxNames;
  const shown = names.slice(0, maxNames).join(", ");
  return more > 0 ? `${shown} and ${more} more` : shown;
}

function summaryLine(paint: Paint, summary: RunSummary<NodePayload>, savedMs: number): string {
  let hits = 0;
  let ran = 0;
  let skipped = 0;
  for (const outcome of summary.outcomes.values()) {
    if (outcome.status === "skipped") skipped += 1;
    else if ("payload" in outcome && outcome.payload.cache?.kind === "hit") hits += 1;
    else if (outcome.status !== "errored") ran += 1;
  }
  const { failed } = summary;
  const parts = [`${hits} hit`, `${ran} ran`];
  if (failed.length > 0) parts.push(paint("red", `${failed.length} failed (${fewNames(failed)})`));
  if (skipped > 0) parts.push(`${skipped} skipped`);
  const total = summary.outcomes.size;
  const saved = savedMs > 0 ? `, saved ${formatDuration(savedMs)}` : "";
  const tasks = `${total} ${total === 1 ? "task" : "tasks"}`;
  return `${paint("dim", "cuenv")} ${tasks}: ${parts.join(", ")} in ${formatDuration(summary.durationMs)}${saved}`;
}
