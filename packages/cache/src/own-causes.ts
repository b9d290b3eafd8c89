import type { Cause } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { computeKey } from "./compute-key.ts";
import { explain } from "./explain.ts";
import type { DependencyState, TaskRequest } from "./task-request.ts";

/** A dependency that would run first. */
export type UnknownDependency = Pick<DependencyState, "task" | "declaredOutputs">;

/**
 * What differs from the nearest earlier result of a task whatever its dependencies would make: with any of it the task is a miss, too.
 * Empty when nothing does; undefined when there is nothing to compare with.
 * @throws {CuenvError} for mistakes of the configuration (patterns that cannot be read)
 */
export async function ownCauses(
  engine: CacheEngine,
  request: TaskRequest,
  unknown: readonly UnknownDependency[],
): Promise<readonly Cause[] | undefined> {
  // Their declared outputs are nobody's own files, whatever lies there now.
  const standIns = unknown.map((dependency) => ({ ...dependency, key: "", outputs: [] }));
  const computed = await computeKey(engine, {
    ...request,
    dependencies: [...request.dependencies, ...standIns],
  });
  if (computed.kind === "noKey") return [];
  const names = new Set(unknown.map(({ task }) => task));
  const { causes } = await explain(engine, request, computed.key, names);
  return causes.some(({ kind }) => kind === "first") ? undefined : causes;
}
