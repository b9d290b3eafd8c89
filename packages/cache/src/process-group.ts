import { processStat } from "@cuenv/cas";
import { readdirSync } from "node:fs";

/**
 * Whether a process of this group still runs. One that has ended is in its group until its parent has asked for its exit code, which in a container without an init nobody
 * does: so where the system lists processes, their states are looked at.
 */
export function isGroupRunning(group: number): boolean {
  try {
    process.kill(-group, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  const members = statesOf(group);
  return members === undefined || members.some((state) => state !== "Z" && state !== "X");
}

/** The states of a group's processes; undefined where there is no /proc. */
function statesOf(group: number): readonly string[] | undefined {
  let names: readonly string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return undefined;
  }
  const pids = names.filter((name) => /^\d+$/.test(name));
  if (pids.length === 0) return undefined;
  return pids.flatMap((pid) => {
    const [state = "", , itsGroup] = processStat(Number(pid)) ?? [];
    return Number(itsGroup) === group ? [state] : [];
  });
}
