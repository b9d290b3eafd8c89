import type { TaskResult } from "@cuenv/action-cache";
import { type RestoreChanges, restoreChanges } from "@cuenv/cas";
import type { CacheEngine } from "./cache-engine.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskRequest } from "./task-request.ts";

/** For who only looks: what putting a result in place would change. Undefined when that cannot be found out: whoever tries says why. */
export async function changesOfHit(
  { index, projectPath: projectDirectory, excludedPaths }: CacheEngine,
  { task }: TaskRequest,
  { outputs: entries }: TaskResult,
): Promise<RestoreChanges | undefined> {
  const outputs = ownOutputs({ excludedPaths }, task.outputs);
  try {
    return await restoreChanges({ index, projectDirectory, outputs, entries });
  } catch {
    return undefined;
  }
}
