import { hasAttachedProcess, killLiveProcesses } from "./live-processes.ts";
import { Interruption, signalExitCode } from "./outcome.ts";

export interface SignalHandlingOptions {
  /** The first signal: abort the run's signal with it as the reason. What runs is told to end, and waited for. */
  readonly onInterrupt: (interruption: Interruption) => void;
}

/** What a terminal and those who end processes send; SIGQUIT is Ctrl-\\, which reaches us alone: what runs is in groups of its own. */
const handled: readonly NodeJS.Signals[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];
/** The terminal itself sends these to a command that shares it. */
const fromTerminal: ReadonlySet<NodeJS.Signals> = new Set(["SIGINT", "SIGQUIT"]);
/** npm and its kin pass the terminal's Ctrl-C on to us, who got it from the terminal, too: that is one request, not two. */
const sameRequestMs = 250;

/**
 * The first signal interrupts, the second kills everything that runs and exits with 128+n at once. Ctrl-C and Ctrl-\ are left to a
 * command that shares our terminal.
 * @returns what removes the handlers
 */
export function installSignalHandling(options: SignalHandlingOptions): () => void {
  let interruptedAt: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (fromTerminal.has(signal) && hasAttachedProcess()) return;
    if (interruptedAt === undefined) {
      interruptedAt = Date.now();
      options.onInterrupt(new Interruption(signal));
    } else if (Date.now() - interruptedAt > sameRequestMs) {
      killLiveProcesses();
      process.exit(signalExitCode(signal));
    }
  };
  for (const signal of handled) process.on(signal, onSignal);
  return () => {
    for (const signal of handled) process.off(signal, onSignal);
  };
}
