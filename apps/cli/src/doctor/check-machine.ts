import { readFileSync } from "node:fs";
import { arch, availableParallelism, platform, totalmem } from "node:os";
import { formatBytes } from "../run/format-duration.ts";
import { broken, type Check, note, ok } from "./check.ts";

const neededNode = [22, 18] as const;
/** Tasks that run at once have pipes, and a build opens many files. */
const fewDescriptors = 256;

export interface Machine {
  readonly nodeVersion: string;
  readonly platform: string;
  /** How many files a process may have open; undefined: not known. */
  readonly maxOpenFiles: number | undefined;
}

export function thisMachine(): Machine {
  return {
    nodeVersion: process.versions.node,
    platform: `${platform()} ${arch()}`,
    maxOpenFiles: maxOpenFiles(),
  };
}

export function checkMachine(machine: Machine): readonly Check[] {
  return [checkNode(machine), ...checkDescriptors(machine.maxOpenFiles)];
}

function checkNode({ nodeVersion, platform: system }: Machine): Check {
  const processors = availableParallelism();
  const size = `${processors} ${processors === 1 ? "processor" : "processors"}, ${formatBytes(totalmem())} of memory`;
  const found = `Node ${nodeVersion} on ${system}, ${size}`;
  const [major = 0, minor = 0] = nodeVersion.split(".").map(Number);
  const isOld = major < neededNode[0] || (major === neededNode[0] && minor < neededNode[1]);
  return isOld
    ? broken("machine", found, `Install Node ${neededNode.join(".")} or newer.`)
    : ok("machine", found);
}

function checkDescriptors(limit: number | undefined): Check[] {
  if (limit === undefined || limit >= fewDescriptors) return [];
  return [
    note(
      "open files",
      `a process may have only ${limit} files open`,
      "Raise it: ulimit -n 4096. With too few, tasks cannot be started and results are not stored.",
    ),
  ];
}

function maxOpenFiles(): number | undefined {
  try {
    const text = readFileSync("/proc/self/limits", "latin1");
    const soft = /^Max open files\s+(?<soft>\d+)/m.exec(text)?.groups?.["soft"];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // Not Linux.
  }
}
