import { readFileSync } from "node:fs";

/**
 * What Linux says of a process in /proc/<pid>/stat, from its third field on (proc(5)): state, parent, group, and at 19 when it began, in clock ticks since boot. The second
 * field holds the program's name, which may contain spaces and parentheses. Undefined: it has ended, or the system has no /proc.
 */
export function processStat(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}
