import type { NodeOutcome, RunSummary } from "@cuenv/runner";
import { type ErrorDocument, errorDocument } from "../report/report-error.ts";
import type { NodePayload } from "./run-context.ts";

/** The document of `cuenv task --json`: version 1. Durations are milliseconds. */
export interface RunDocument {
  readonly version: 1;
  readonly tasks: readonly TaskDocument[];
  readonly summary: {
    readonly hits: number;
    readonly misses: number;
    readonly failed: number;
    readonly exitCode: number;
    readonly durationMs: number;
    readonly savedMs: number;
  };
}

export interface TaskDocument {
  readonly name: string;
  readonly outcome: NodeOutcome<NodePayload>["status"];
  readonly exitCode: number | null;
  readonly key: string | null;
  readonly cache: {
    readonly status: "hit" | "miss" | "off" | "skipped";
    readonly tier: string | null;
    readonly reason: string | null;
    readonly stored: boolean;
  };
  readonly durationMs: number;
  readonly savedMs: number;
  readonly restoredFiles: number;
  /** A hit whose outputs were left in the remote cache (`--download`). */
  readonly outputsLeft: boolean;
  /** Of a task that could not be tried. */
  readonly error?: ErrorDocument;
}

export function runDocument(summary: RunSummary<NodePayload>): RunDocument {
  const tasks = [...summary.outcomes].map(([name, outcome]) => taskDocument(name, outcome));
  return {
    version: 1,
    tasks,
    summary: {
      hits: tasks.filter(({ cache }) => cache.status === "hit").length,
      misses: tasks.filter(({ cache }) => cache.status === "miss").length,
      failed: summary.failed.length,
      exitCode: summary.exitCode,
      durationMs: Math.round(summary.durationMs),
      savedMs: tasks.reduce((sum, task) => sum + task.savedMs, 0),
    },
  };
}

export function taskDocument(name: string, outcome: NodeOutcome<NodePayload>): TaskDocument {
  const cache = "payload" in outcome ? outcome.payload.cache : undefined;
  const hit = cache?.kind === "hit" ? cache : undefined;
  const ran = cache?.kind === "executed" ? cache : undefined;
  return {
    name,
    outcome: outcome.status,
    exitCode: "exitCode" in outcome ? outcome.exitCode : null,
    key: cache?.key ?? null,
    cache: {
      status: hit ? "hit" : ran ? "miss" : outcome.status === "skipped" ? "skipped" : "off",
      tier: hit?.tier ?? null,
      reason: ran?.miss.text ?? null,
      stored: ran?.stored ?? false,
    },
    durationMs: "durationMs" in outcome ? Math.round(outcome.durationMs) : 0,
    savedMs: hit?.savedMs ?? 0,
    restoredFiles: hit?.restoredFiles ?? 0,
    outputsLeft: hit?.isOutputLeft ?? false,
    ...(outcome.status === "errored" ? { error: errorDocument(outcome.error) } : {}),
  };
}
