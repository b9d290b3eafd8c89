import type { ProcessOutcome } from "./outcome.ts";
import { runChild } from "./run-process.ts";

export interface AttachedRequest {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** "stderr": stdout is somebody else's, and the command's goes where its messages go. */
  readonly stdout?: "inherit" | "stderr";
}

/** Signals that ask a process to do something, and so are the command's. */
const forwarded: readonly NodeJS.Signals[] = [
  "SIGINT",
  "SIGQUIT",
  "SIGTERM",
  "SIGHUP",
  "SIGUSR2",
  "SIGCONT",
];
/** The terminal itself sends these to everybody in its foreground group. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT"]);

/**
 * Runs a command as if cuenv were not there (`cuenv exec`): all three streams are ours, so not a byte passes through
 * us; it stays in our process group; signals that reach us are its own, and it decides when it ends.
 * @throws {CuenvError} RUN_SPAWN, RUN_ENVIRONMENT
 */
export async function runAttached(request: AttachedRequest): Promise<ProcessOutcome> {
  const terminal = process.getBuiltinModule("node:tty").isatty(0);
  let pid = 0;
  const forward = (signal: NodeJS.Signals): void => {
    if (pid === 0 || (terminal && fromTerminal.has(signal))) return;
    try {
      process.kill(pid, signal);
    } catch {
      // It ended meanwhile.
    }
  };
  for (const signal of forwarded) process.on(signal, forward);
  try {
    return await runChild(
      { ...request, stdin: "inherit", stdout: request.stdout ?? "inherit", stderr: "inherit" },
      {
        ownGroup: false,
        attached: terminal,
        onStart(started) {
          pid = started;
        },
      },
    );
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}
