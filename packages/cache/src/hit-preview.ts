import type { TaskResult } from "@cuenv/action-cache";
import type { BlobStore, RestoreChanges } from "@cuenv/cas";
import type { CacheEngine } from "./cache-engine.ts";
import type { TaskPreview } from "./preview-task.ts";
import type { TaskRequest } from "./task-request.ts";
import { dependencyState } from "./task-state.ts";

/** A result that a run would take. */
export interface FoundResult {
  readonly result: TaskResult;
  readonly changes: RestoreChanges | undefined;
  readonly tier: string;
  readonly blobs: BlobStore;
}

/** The preview of a task that would hit. */
export async function hitPreview(
  engine: CacheEngine,
  request: TaskRequest,
  { result, changes, tier, blobs }: FoundResult,
  key: { readonly hash: string } & Pick<TaskPreview, "keyInputs" | "causes">,
): Promise<TaskPreview> {
  const { hash, keyInputs, causes } = key;
  return {
    outcome: "hit",
    key: hash,
    keyInputs,
    text: causes[0]?.text ?? "nothing changed",
    causes,
    result,
    changes,
    tier,
    blobs,
    state: await dependencyState(engine, request.task, {
      succeeded: true,
      key: hash,
      entries: result.outputs,
    }),
  };
}
