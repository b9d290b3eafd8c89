import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { foldersAbove } from "@cuenv/digest";

/** What `@cuenv/nx` keeps of a task: its last runs with another hash each, the newest first. */
export interface RecordedTask {
  /** The project's folder, from Nx' workspace root. */
  readonly root: string;
  readonly runs: readonly RecordedRun[];
}

export interface RecordedRun {
  readonly hash: string;
  readonly at: string;
  /** As Nx says it: `success`, `local-cache`, `remote-cache` … */
  readonly status: string;
  /** What Nx made its hash of: a name and a hash each. */
  readonly nodes: Readonly<Record<string, string>>;
}

/** The folder of the nearest nx.json. @throws {CuenvError} USAGE */
export function nxRoot(from: string): string {
  const root = [...foldersAbove(from)].find((folder) => existsSync(join(folder, "nx.json")));
  if (root !== undefined) return root;
  throw new CuenvError("USAGE", `cannot find an nx.json in ${from} or a folder above it`);
}

/** Undefined: nothing is known of the task. */
export function recordedTask(root: string, taskId: string): RecordedTask | undefined {
  const folder = process.env["NX_WORKSPACE_DATA_DIRECTORY"] || join(root, ".nx", "workspace-data");
  try {
    const text = readFileSync(join(folder, "cuenv-runs-v1.json"), "utf8");
    const { tasks } = JSON.parse(text) as { tasks: Readonly<Record<string, RecordedTask>> };
    return Object.hasOwn(tasks, taskId) ? tasks[taskId] : undefined;
  } catch {
    return undefined;
  }
}
