import { constants } from "node:os";
import type { CuenvError } from "@cuenv/errors";
import { exitCodes } from "@cuenv/errors";

/** How a process ended. `exitCode` is always what a shell would report for it; durations are in milliseconds. */
export type ProcessOutcome =
  | {
      readonly status: "succeeded";
      readonly exitCode: 0;
      readonly durationMs: number;
      readonly outputComplete: boolean;
    }
  | { readonly status: "failed"; readonly exitCode: number; readonly durationMs: number }
  /** Ended by a signal that was not ours. */
  | {
      readonly status: "signalled";
      readonly signal: NodeJS.Signals;
      readonly exitCode: number;
      readonly durationMs: number;
    }
  | {
      readonly status: "timedOut";
      readonly timeoutMs: number;
      readonly exitCode: number;
      readonly durationMs: number;
    }
  /** Ended by us, because the run was interrupted. */
  | { readonly status: "cancelled"; readonly exitCode: number; readonly durationMs: number }
  | {
      readonly status: "notFound" | "notExecutable";
      readonly message: string;
      readonly hint: string | undefined;
      readonly exitCode: number;
      readonly durationMs: number;
    };

/** Why a task was not started. */
export type SkipReason =
  /** A task that it needs, directly or not, did not succeed. */
  | { readonly kind: "dependency"; readonly task: string }
  /** Another task failed, and the run does not continue on errors. */
  | { readonly kind: "stopped"; readonly task: string }
  | { readonly kind: "interrupted" };

/** What `execute` gives for a task: how its process ended, or would have ended (a replayed hit), and the caller's own data. */
export type ExecutionOutcome<Payload> = ProcessOutcome & { readonly payload: Payload };

export type NodeOutcome<Payload> =
  | ExecutionOutcome<Payload>
  /** The task could not be tried: its configuration, arguments or secrets. */
  | { readonly status: "errored"; readonly error: CuenvError; readonly exitCode: number }
  | { readonly status: "skipped"; readonly reason: SkipReason };

/** 128+n, as a shell reports a process that signal n ended. */
export function signalExitCode(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** The exit code that stands for an interrupted run: that of the signal which the abort reason names, else SIGINT's. */
export function interruptExitCode(reason: unknown): number {
  return signalExitCode(reason instanceof Interruption ? reason.signal : "SIGINT");
}

/** The reason to abort a run with, when a signal is why. */
export class Interruption extends Error {
  override readonly name = "Interruption";
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

export const timeoutExitCode: number = exitCodes.timeout;
