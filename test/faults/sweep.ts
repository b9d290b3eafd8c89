import { isFull } from "./capabilities.ts";
import {
  createFaultProject,
  type FaultProject,
  type FaultProjectOptions,
} from "./fault-project.ts";
import { type FileCall, fileCalls } from "./file-calls.ts";
import { readTree, type Tree } from "./tree.ts";

export interface Scenario extends FaultProjectOptions {
  readonly name: string;
  /** The command that something happens to. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Brings workspace and cache to where it begins. */
  readonly prepare: (project: FaultProject) => Promise<void>;
  /** How often `make.sh` may have run when all is over, by a fault and a run; default: once. */
  readonly maxRuns?: number;
  /** Kinds of damage that are there before, and may still be there after. */
  readonly damage?: readonly string[];
  /** What else must be so after a fault and the run that follows: sentences about what is not. */
  readonly check?: (project: FaultProject) => Promise<readonly string[]>;
}

/** One call, and what happens at it (`signal=KILL`, `error=EIO`). */
export interface Cell {
  readonly call: FileCall;
  readonly what: string;
}

export interface SweepReport {
  /** Calls in the scenario, and how many of them may change the disk. */
  readonly calls: number;
  readonly changing: number;
  /** How many cells were tried; a call may not come, as they differ a little from time to time. */
  readonly tried: number;
  readonly notReached: number;
  readonly failures: readonly string[];
}

/** A project at the beginning of a scenario. */
export interface Bench {
  readonly project: FaultProject;
  readonly scenario: Scenario;
  readonly calls: readonly FileCall[];
  /** The workspace after a run that nobody disturbed. */
  readonly expected: Tree;
}

/** A sweep waits for processes, not for us; the short one is no longer than what a second project needs to begin. */
const parallel = isFull ? 2 : 1;

/**
 * Tries every cell that `select` picks, each from the same beginning. `attempt` gives sentences about what is wrong afterwards, undefined when
 * the call did not come.
 */
export async function sweep(
  scenario: Scenario,
  select: (calls: readonly FileCall[]) => readonly Cell[],
  attempt: (bench: Bench, cell: Cell) => Promise<readonly string[] | undefined>,
): Promise<SweepReport> {
  const failures: string[] = [];
  let counts = { calls: 0, changing: 0 };
  let tried = 0;
  let notReached = 0;
  const work = async (worker: number): Promise<void> => {
    const project = createFaultProject(scenario);
    try {
      const bench = await prepare(project, scenario);
      const { calls } = bench;
      counts = { calls: calls.length, changing: calls.filter(({ changes }) => changes).length };
      for (const [index, cell] of select(calls).entries()) {
        if (index % parallel !== worker) continue;
        await project.putBack();
        const problems = await attempt(bench, cell);
        if (problems === undefined) {
          notReached += 1;
          continue;
        }
        tried += 1;
        const { name, ordinal, line } = cell.call;
        for (const problem of problems)
          failures.push(`${cell.what} at ${name} #${ordinal}: ${problem}\n  ${line.slice(0, 200)}`);
      }
    } finally {
      project.remove();
    }
  };
  await Promise.all(Array.from({ length: parallel }, (_, worker) => work(worker)));
  return { ...counts, tried, notReached, failures };
}

async function prepare(project: FaultProject, scenario: Scenario): Promise<Bench> {
  await scenario.prepare(project);
  await project.keep();
  // Node's compile cache knows the modules then, and the calls are the same from run to run.
  await project.cuenv(scenario.args, { env: { ...scenario.env } });
  await project.putBack();
  const calls = await fileCalls(project, scenario.args, scenario.env);
  await project.putBack();
  const { code, stderr } = await project.cuenv(["task", "build"]);
  if (code !== 0) throw new Error(`cannot prepare "${scenario.name}": ${stderr}`);
  return { project, scenario, calls, expected: readTree(project.workspace) };
}

/** For people who wait for a full sweep, which the test's own report would keep from them until the end. */
export function summary({ calls, changing, tried, notReached, failures }: SweepReport): string {
  const numbers = `${calls} calls, ${changing} change the disk; ${tried} tried, ${notReached} not reached`;
  return [`${numbers}, ${failures.length} failures`, ...failures].join("\n");
}

/** So many of `all`, spread evenly, the first and the last among them. */
export function spread<Value>(all: readonly Value[], count: number): readonly Value[] {
  if (all.length <= count) return all;
  const step = (all.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => all[Math.round(index * step)] as Value);
}
