// Servers under measurement, and what the system says of their processes.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { listens } from "../../tools/bazel-remote.mjs";
import { root } from "../../tools/workspace.mjs";
import { workFolder } from "./work-folder.mjs";

const pinnedNode = join(root, "node_modules", ".bin", "node");

/**
 * Starts a server and waits until it listens.
 * @param {{name: string, argv: string[], port: number, env?: Record<string, string>}} server
 */
export async function startServer({ name, argv, port, env = {} }) {
  const [program, ...args] = argv;
  // Started by an older Node, cuenv's launcher would start another process, and this one, which does nothing, would be measured.
  const child = spawn(program === process.execPath ? pinnedNode : program, args, {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    cwd: workFolder,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk) => (said = (said + chunk).slice(-4000)));
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`${name} ended: ${said}`);
    if (await listens(port)) return { name, port, child, pid: child.pid };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${name} does not listen: ${said}`);
}

/** Empty, and removed when the process ends: ext4 makes files slowly for five seconds after many were deleted. */
export function freshFolder(name) {
  const folder = join(workFolder, `${name}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** CPU time of all its threads, ms (fields 14 and 15 of /proc/PID/stat, in hundredths of a second). */
export function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function peakMiB(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}
