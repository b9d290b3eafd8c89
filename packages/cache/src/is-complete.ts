import type { TaskResult } from "@cuenv/action-cache";
import type { RestoreChanges } from "@cuenv/cas";
import type { CacheEngine } from "./cache-engine.ts";
import type { TaskRequest } from "./task-request.ts";

/**
 * For who only looks: whether this machine still has what a hit would read of a result, which is what the task printed and the outputs that are not in place.
 * What cannot be found out does not count.
 */
export async function isComplete(
  { blobs }: CacheEngine,
  { signal }: TaskRequest,
  { stdout, stderr }: TaskResult,
  changes: RestoreChanges | undefined,
): Promise<boolean> {
  if (changes === undefined) return true;
  const printed = [stdout, stderr].filter((digest) => digest !== null);
  const files = changes.writes.flatMap((entry) => (entry.kind === "file" ? [entry.digest] : []));
  try {
    return (await blobs.missing([...printed, ...files], signal)).length === 0;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return true;
  }
}
