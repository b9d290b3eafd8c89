import { readdirSync, readFileSync } from "node:fs";

/** A process as the system lists it. */
export interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  /** Tells two processes that had the same pid apart; compared only. */
  readonly started: string;
}

/** All processes of the machine that are not zombies. Empty where the system does not say: who kills by it kills less then. */
export function listProcesses(): ListedProcess[] {
  return process.platform === "linux" ? fromProc() : fromPs();
}

function fromProc(): ListedProcess[] {
  const processes: ListedProcess[] = [];
  let names: string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  for (const name of names) {
    if (!/^\d+$/.test(name)) continue;
    let stat: string;
    try {
      stat = readFileSync(`/proc/${name}/stat`, "latin1");
    } catch {
      continue; // ended meanwhile
    }
    // proc(5): pid (name) state ppid pgrp … starttime is field 22; the name may contain spaces and parentheses.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (fields[0] === "Z" || fields[0] === "X") continue;
    processes.push({
      pid: Number(name),
      parent: Number(fields[1]),
      group: Number(fields[2]),
      started: fields[19] ?? "",
    });
  }
  return processes;
}

function fromPs(): ListedProcess[] {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  const listed = spawnSync("ps", ["-A", "-o", "pid=,ppid=,pgid=,state=,lstart="], {
    encoding: "latin1",
    timeout: 5000,
  });
  return (listed.stdout ?? "").split("\n").flatMap((line): ListedProcess[] => {
    const [, pid, parent, group, state, started] =
      /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(.+)$/.exec(line) ?? [];
    if (state === undefined || state.startsWith("Z")) return [];
    return [
      { pid: Number(pid), parent: Number(parent), group: Number(group), started: started ?? "" },
    ];
  });
}
