import type { ChildProcess } from "node:child_process";
import { type ChildStdio, openStdio } from "./child-stdio.ts";
import type { ChunkSink } from "./drain-output.ts";
import { endOfProcess } from "./end-of-process.ts";
import { addLiveProcess, removeLiveProcess } from "./live-processes.ts";
import {
  interruptExitCode,
  type ProcessOutcome,
  signalExitCode,
  timeoutExitCode,
} from "./outcome.ts";
import { keepHeapSmall } from "./keep-heap-small.ts";
import { processTree } from "./process-tree.ts";
import { closeReadyPipes } from "./real-pipe.ts";
import { spawnFailure } from "./spawn-failure.ts";

export interface ProcessRequest {
  /** The program, looked up in `env`'s PATH, and its arguments. No shell is involved. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** "inherit" is for a command that runs alone; when it is a terminal, the command shares our process group, which is the one that may read it. */
  readonly stdin: "inherit" | "ignore";
  readonly stdout: "inherit" | "stderr" | ChunkSink;
  readonly stderr: "inherit" | ChunkSink;
  readonly timeoutMs?: number | undefined;
  /** From SIGTERM to SIGKILL; default 10 s. */
  readonly graceMs?: number;
  /** How long, after the command's end, output of processes that it left behind is taken; default 1 s. */
  readonly drainMs?: number;
  /**
   * Whether a command that fails must leave nothing behind, since it is about to be run again: what is left of it is ended, too (but for what shares our
   * process group). Default: no.
   */
  readonly endsLeftovers?: boolean;
  /** Aborting ends the command with all that it started: SIGTERM, and SIGKILL after the grace. */
  readonly signal?: AbortSignal | undefined;
  /** Told the command's process id as soon as it runs. */
  readonly onStart?: ((pid: number) => void) | undefined;
}

const defaultGraceMs = 10_000;
const defaultDrainMs = 1_000;

/**
 * Runs a command to its end. It leads a process group of its own (but for a terminal on stdin), so that a timeout and
 * an abort reach all that it started; then this returns only when nothing of it is left. A command that ends by itself
 * may leave processes behind (a server that it was meant to start): their output is cut off after `drainMs`, and
 * `outputComplete` tells.
 * @throws {CuenvError} RUN_SPAWN, RUN_ENVIRONMENT
 */
export function runProcess(request: ProcessRequest): Promise<ProcessOutcome> {
  const terminal = request.stdin === "inherit" && process.getBuiltinModule("node:tty").isatty(0);
  return runChild(request, {
    ownGroup: !terminal,
    attached: terminal,
    ...(request.onStart === undefined ? {} : { onStart: request.onStart }),
  });
}

/** @internal */
export async function runChild(
  request: ProcessRequest,
  group: {
    readonly ownGroup: boolean;
    readonly attached: boolean;
    readonly onStart?: (pid: number) => void;
  },
): Promise<ProcessOutcome> {
  const started = process.uptime() * 1000;
  const elapsed = (): number => process.uptime() * 1000 - started;
  const { signal } = request;
  if (signal?.aborted === true) return cancelled(signal, 0);

  const [program = ""] = request.argv;
  let child: ChildProcess;
  const stdio = openStdio(request);
  try {
    child = spawnChild(request, stdio, group.ownGroup);
  } catch (error) {
    stdio.discard();
    return { ...spawnFailure(error, program, request), durationMs: elapsed() };
  } finally {
    stdio.closeChildEnds();
  }
  const exit = exitOf(child);
  if (child.pid === undefined) {
    const { error } = await exit;
    stdio.discard();
    if (isOutOfDescriptors(error) && closeReadyPipes()) return runChild(request, group);
    return { ...spawnFailure(error, program, request), durationMs: elapsed() };
  }
  const drains = stdio.connect(child);
  group.onStart?.(child.pid);

  const tree = processTree(child.pid, group.ownGroup);
  addLiveProcess(tree, group.attached);
  try {
    const { graceMs = defaultGraceMs, timeoutMs } = request;
    const ending = endOfProcess(tree, { timeoutMs, graceMs, signal });
    const { code, signal: endedBy } = await exit;
    const reason = ending.settle();
    if (reason !== undefined) await ending.untilGone();
    else if (request.endsLeftovers === true && code !== 0) await ending.endLeftovers();
    const drainMs = request.drainMs ?? defaultDrainMs;
    const complete = await Promise.all(drains.map((drain) => drain.finish(drainMs, signal)));
    if (reason === "abort") return cancelled(signal, elapsed());
    if (reason === "timeout")
      return {
        status: "timedOut",
        timeoutMs: timeoutMs ?? 0,
        exitCode: timeoutExitCode,
        durationMs: elapsed(),
      };
    if (endedBy !== null)
      return {
        status: "signalled",
        signal: endedBy,
        exitCode: signalExitCode(endedBy),
        durationMs: elapsed(),
      };
    if (code === 0)
      return {
        status: "succeeded",
        exitCode: 0,
        durationMs: elapsed(),
        outputComplete: !complete.includes(false),
      };
    return { status: "failed", exitCode: code ?? 1, durationMs: elapsed() };
  } finally {
    removeLiveProcess(tree);
  }
}

function isOutOfDescriptors(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EMFILE";
}

function spawnChild(request: ProcessRequest, stdio: ChildStdio, ownGroup: boolean): ChildProcess {
  // Loaded with the first command that runs: a run of hits needs none, and the module costs milliseconds.
  const { spawn } = process.getBuiltinModule("node:child_process");
  keepHeapSmall();
  const [program = "", ...args] = request.argv;
  return spawn(program, args, {
    cwd: request.cwd,
    env: request.env,
    detached: ownGroup,
    stdio: stdio.options,
  });
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it was never started. */
  readonly error?: unknown;
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => {
      resolve({ code, signal });
    });
    child.once("error", (error) => {
      resolve({ code: null, signal: null, error });
    });
  });
}

function cancelled(signal: AbortSignal | undefined, durationMs: number): ProcessOutcome {
  return { status: "cancelled", exitCode: interruptExitCode(signal?.reason), durationMs };
}
