import type { TaskResult } from "@cuenv/action-cache";
import { blobsToRestore } from "@cuenv/cas";
import type { CacheEngine } from "./cache-engine.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskRequest } from "./task-request.ts";

/**
 * For who only looks: whether this machine still has what a hit would read of a result, which is what the task printed and the outputs that are not in place.
 * What cannot be found out does not count: whoever tries says so.
 */
export async function isComplete(
  { index, projectPath: projectDirectory, excludedPaths, blobs }: CacheEngine,
  { task, signal }: TaskRequest,
  { outputs: entries, stdout, stderr }: TaskResult,
): Promise<boolean> {
  const outputs = ownOutputs({ excludedPaths }, task.outputs);
  try {
    const printed = [stdout, stderr].filter((digest) => digest !== null);
    const files = await blobsToRestore({ index, projectDirectory, outputs, entries });
    return (await blobs.missing([...printed, ...files], signal)).length === 0;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return true;
  }
}
