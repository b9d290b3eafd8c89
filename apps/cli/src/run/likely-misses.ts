import type { CacheEngine } from "@cuenv/cache";
import type { Plan } from "@cuenv/runner";

/** So many tasks are put first. */
const maxTasks = 4;
/** In a plan of fewer tasks the others are looked up in no time. */
const minNodes = 33;

/**
 * The tasks of a plan whose results changed last: who works on something changes it again, and what must run is to run while the others are looked up, not after
 * them (200 tasks take 90 ms). Undefined: the order of the plan is as good, or is what was asked for.
 */
export function likelyMisses(
  { nodes }: Plan,
  jobs: number | undefined,
  engine: CacheEngine | undefined,
): readonly string[] | undefined {
  if (engine === undefined || jobs === 1 || nodes.length < minNodes) return undefined;
  const recent = new Set(engine.lastResults.recent(maxTasks));
  return nodes.filter(({ task }) => recent.has(engine.taskId(task))).map(({ name }) => name);
}
