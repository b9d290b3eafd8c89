import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { NxTaskResult, PostTasksExecutionContext } from "../nx-api.ts";

/** What `cuenv nx why` compares: of each task the last runs that had another hash. */
interface RecordedRuns {
  readonly version: 1;
  readonly tasks: Readonly<Record<string, RecordedTask>>;
}

interface RecordedTask {
  /** The project's folder, from the workspace root. */
  readonly root: string;
  /** The newest first. */
  readonly runs: readonly RecordedRun[];
}

interface RecordedRun {
  readonly hash: string;
  /** When it was last seen, ISO 8601. */
  readonly at: string;
  readonly status: string;
  /** What Nx made its hash of: a name and a hash each. */
  readonly nodes: Readonly<Record<string, string>>;
}

/** As many hashes of a task as are kept. */
const maxRuns = 3;
/** Tasks that were not seen for longest go first beyond so many. */
const maxTasks = 20_000;
const fileName = "cuenv-runs-v1.json";

/** How long tasks took that ran in this run, by hash (ms), of those in `hashes`; undefined: of all. */
export function durationsOf(
  results: Readonly<Record<string, NxTaskResult>>,
  hashes?: ReadonlySet<string>,
): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { task, ...result } of Object.values(results)) {
    const started = result.startTime ?? task.startTime;
    const ended = result.endTime ?? task.endTime;
    if (task.hash === undefined || hashes?.has(task.hash) === false) continue;
    if (started !== undefined && ended !== undefined && ended >= started)
      found[task.hash] = ended - started;
  }
  return found;
}

/** Keeps what Nx made its hashes of, where Nx keeps what it knows of the workspace. Never throws: without it, `cuenv nx why` knows less. */
export function recordRun({ workspaceRoot, taskResults }: PostTasksExecutionContext): void {
  const folder = workspaceDataFolder(workspaceRoot);
  const file = join(folder, fileName);
  try {
    const before = readRuns(file);
    const tasks = new Map(Object.entries(before.tasks));
    const at = new Date().toISOString();
    let isChanged = false;
    for (const result of Object.values(taskResults)) {
      const recorded = recordedTask(tasks.get(result.task.id), result, at);
      if (recorded === undefined) continue;
      isChanged = true;
      // The last ones written are the last seen.
      tasks.delete(result.task.id);
      tasks.set(result.task.id, recorded);
    }
    if (!isChanged) return;
    const kept = [...tasks].slice(-maxTasks);
    mkdirSync(folder, { recursive: true });
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(
      temporary,
      JSON.stringify({ version: 1, tasks: Object.fromEntries(kept) } satisfies RecordedRuns),
    );
    renameSync(temporary, file);
  } catch {
    // A folder that cannot be written to.
  }
}

/** Where Nx keeps what it knows of the workspace. */
export function workspaceDataFolder(workspaceRoot: string): string {
  return process.env["NX_WORKSPACE_DATA_DIRECTORY"] || join(workspaceRoot, ".nx", "workspace-data");
}

function readRuns(file: string): RecordedRuns {
  try {
    const runs = JSON.parse(readFileSync(file, "utf8")) as RecordedRuns;
    if (runs.version === 1) return runs;
  } catch {
    // There is none, or it is damaged: it is begun anew.
  }
  return { version: 1, tasks: {} };
}

/** Undefined when there is nothing new to keep. */
function recordedTask(
  before: RecordedTask | undefined,
  { task, status }: NxTaskResult,
  at: string,
): RecordedTask | undefined {
  const { hash, hashDetails, projectRoot = "." } = task;
  const nodes = hashDetails?.nodes;
  const runs = before?.runs ?? [];
  if (hash === undefined || runs[0]?.hash === hash) return undefined;
  const known = runs.find((run) => run.hash === hash);
  if (nodes === undefined && known === undefined) return undefined;
  const now = { hash, at, status, nodes: nodes ?? known?.nodes ?? {} };
  const others = runs.filter((run) => run.hash !== hash);
  return { root: projectRoot, runs: [now, ...others].slice(0, maxRuns) };
}
