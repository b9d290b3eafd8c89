import { processStat } from "@cuenv/cas";

/** More parents than any machine has: a table that changes while it is read must not keep us. */
const maxAncestors = 1000;
/** How long `ps` may take (ms). */
const psTimeoutMs = 2_000;

/** The processes that started this one: the parent, its parent and so on. Only the parent where the system does not say more. */
export function ancestorProcesses(
  platform: NodeJS.Platform = process.platform,
): ReadonlySet<number> {
  const parentOf = platform === "linux" ? parentInProc : parentsByPs();
  const ancestors = new Set<number>();
  for (
    let pid: number | undefined = process.ppid;
    pid !== undefined && pid > 0 && !ancestors.has(pid) && ancestors.size < maxAncestors;
    pid = parentOf(pid)
  )
    ancestors.add(pid);
  return ancestors;
}

function parentInProc(pid: number): number | undefined {
  const parent = processStat(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

function parentsByPs(): (pid: number) => number | undefined {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], {
    encoding: "latin1",
    timeout: psTimeoutMs,
  });
  const parents = new Map<number, number>();
  for (const line of (stdout ?? "").split("\n")) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    if (pid !== undefined && parent !== undefined) parents.set(pid, parent);
  }
  return (pid) => parents.get(pid);
}
