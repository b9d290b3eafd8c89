import { setTimeout as sleep } from "node:timers/promises";
import type { ProcessTree } from "./process-tree.ts";

/** How often a tree that was told to end is looked at. Listing processes costs about 1 ms per 100 of them. */
const pollMs = 25;
/** How long a process may take to vanish after SIGKILL; longer means that the kernel holds it (a dead network mount). */
const killWaitMs = 5_000;
/** Node fires longer timers at once. A task that may take more than 24 days is not timed. */
const longestTimerMs = 2 ** 31 - 1;

export interface EndOptions {
  readonly timeoutMs: number | undefined;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly signal: AbortSignal | undefined;
}

/** What ends a command from outside. */
export interface EndOfProcess {
  /** To be called when the command itself has ended: from now on nothing ends it; says what did. */
  readonly settle: () => "timeout" | "abort" | undefined;
  /** Resolves when nothing of an ended tree is left, by SIGKILL when the grace is over. */
  readonly untilGone: () => Promise<void>;
  /** Ends what a settled command left behind, as its timeout would have, and resolves when nothing is left. */
  readonly endLeftovers: () => Promise<void>;
}

export function endOfProcess(tree: ProcessTree, options: EndOptions): EndOfProcess {
  let reason: "timeout" | "abort" | undefined;
  let killAt = 0;
  let killTimer: NodeJS.Timeout | undefined;

  function end(why: "timeout" | "abort"): void {
    if (reason !== undefined) return;
    reason = why;
    killAt = Date.now() + options.graceMs;
    tree.signal("SIGTERM");
    killTimer = setTimeout(() => {
      tree.signal("SIGKILL");
    }, options.graceMs);
  }

  const onAbort = (): void => {
    end("abort");
  };
  options.signal?.addEventListener("abort", onAbort, { once: true });
  const { timeoutMs } = options;
  const timeoutTimer =
    timeoutMs !== undefined && timeoutMs <= longestTimerMs
      ? setTimeout(() => {
          end("timeout");
        }, timeoutMs)
      : undefined;
  if (options.signal?.aborted === true) onAbort();

  async function untilGone(): Promise<void> {
    while (tree.isAlive()) {
      const late = Date.now() - killAt;
      if (late >= 0) tree.signal("SIGKILL");
      if (late > killWaitMs) return;
      await sleep(pollMs);
    }
  }

  return {
    settle() {
      clearTimeout(timeoutTimer);
      clearTimeout(killTimer);
      options.signal?.removeEventListener("abort", onAbort);
      return reason;
    },
    untilGone,
    async endLeftovers() {
      if (!tree.isAlive()) return;
      killAt = Date.now() + options.graceMs;
      tree.signal("SIGTERM");
      await untilGone();
    },
  };
}
