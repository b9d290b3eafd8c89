import { type ListedProcess, listProcesses } from "./process-table.ts";

/** A started command with all that it started. */
export interface ProcessTree {
  /**
   * Signals the command's group, and what the command started outside of it. Never throws: what has ended has ended.
   */
  readonly signal: (signal: NodeJS.Signals) => void;
  /** Whether any process of it is left; zombies do not count. */
  readonly isAlive: () => boolean;
}

/**
 * @param pid the command
 * @param ownGroup whether it leads a process group of its own; otherwise it shares ours, which must not be signalled
 */
export function processTree(pid: number, ownGroup: boolean): ProcessTree {
  /** Descendants seen so far. Kept, since a child whose parent died cannot be found through it any more. */
  const seen = new Map<number, string>();

  function members(): ListedProcess[] {
    const all = listProcesses();
    const found = new Map<number, ListedProcess>();
    for (const listed of all) {
      const known = seen.get(listed.pid) === listed.started;
      if (known || listed.pid === pid || (ownGroup && listed.group === pid))
        found.set(listed.pid, listed);
    }
    // Parents can be listed after their children, so until nothing is added.
    for (let before = -1; before !== found.size;) {
      before = found.size;
      for (const listed of all) if (found.has(listed.parent)) found.set(listed.pid, listed);
    }
    for (const listed of found.values()) seen.set(listed.pid, listed.started);
    return [...found.values()];
  }

  return {
    signal(signal) {
      const strays = members().filter((member) => !ownGroup || member.group !== pid);
      if (ownGroup) send(-pid, signal);
      for (const stray of strays) send(stray.pid, signal);
    },
    isAlive: () => members().length > 0,
  };
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // ESRCH: it has ended. EPERM: it changed its user; nothing we can do.
  }
}
