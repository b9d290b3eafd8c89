import { appendFileSync, statSync } from "node:fs";
import { formatDuration } from "../run/format-duration.ts";
import type { RunDocument, TaskDocument } from "../run/run-document.ts";
import { masked, printErr } from "./terminal.ts";

/** GitHub refuses a summary beyond this, and with it what others wrote (1 MiB for a step). */
const maxFileBytes = 1024 * 1024;
const maxRows = 100;
const maxNameLength = 100;
const maxReasonLength = 160;

/** Adds a run to the summary of the step that it is in. What cannot be written is a warning: the run is over. */
export function appendStepSummary(file: string, run: RunDocument): void {
  const text = Buffer.from(masked(stepSummary(run)));
  try {
    if (sizeOf(file) + text.length > maxFileBytes) {
      printErr("warning: the step's summary is full, and has nothing of this run\n");
      return;
    }
    appendFileSync(file, text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    printErr(`warning: cannot write the step's summary: ${reason}\n`);
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** Markdown: what failed first, then what ran, then hits; no more than 100 tasks. */
export function stepSummary({ tasks, summary }: RunDocument): string {
  const shown = tasks.toSorted((left, right) => rank(left) - rank(right)).slice(0, maxRows);
  const { hits, misses, failed, durationMs, savedMs } = summary;
  const counts = [
    `${tasks.length} ${tasks.length === 1 ? "task" : "tasks"}`,
    `${hits} hit`,
    `${misses} ${misses === 1 ? "miss" : "misses"}`,
    ...(failed > 0 ? [`**${failed} failed**`] : []),
    formatDuration(durationMs),
    ...(savedMs > 0 ? [`saved ${formatDuration(savedMs)}`] : []),
  ];
  const rows = shown.map((task) => `| ${cells(task).join(" | ")} |`);
  const rest = tasks.length - shown.length;
  return [
    "### cuenv",
    "",
    counts.join(" · "),
    "",
    "| Task | Result | Cache | Time | Saved | Why |",
    "|---|---|---|--:|--:|---|",
    ...rows,
    ...(rest > 0 ? ["", `… and ${rest} more`] : []),
    "",
    "",
  ].join("\n");
}

function rank({ outcome, cache }: TaskDocument): number {
  if (outcome === "skipped") return 2;
  if (outcome !== "succeeded") return 0;
  return cache.status === "hit" ? 3 : 1;
}

function cells({ name, outcome, exitCode, cache, ...task }: TaskDocument): readonly string[] {
  const result =
    outcome === "failed" ? `failed (${exitCode})` : outcome === "succeeded" ? "ok" : outcome;
  return [
    plainText(name, maxNameLength),
    result,
    cache.status,
    outcome === "skipped" ? "" : formatDuration(task.durationMs),
    task.savedMs > 0 ? formatDuration(task.savedMs) : "",
    plainText(task.error?.message ?? cache.reason ?? "", maxReasonLength),
  ];
}

/**
 * Text that is nothing but text in Markdown and in HTML: whatever is no letter, digit or blank stands as a character reference, so that no name of
 * a task makes a link, an image, a mention or a cell of its own. What cannot be seen, or turns the direction of text, is left out.
 */
function plainText(text: string, maxLength: number): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll(/[\p{C}]/gu, "");
  const letters = Array.from(line);
  const cut = letters.length > maxLength ? `${letters.slice(0, maxLength - 1).join("")}…` : line;
  return cut.replaceAll(/[^\p{L}\p{N} ]/gu, (each) => `&#${each.codePointAt(0)};`);
}
