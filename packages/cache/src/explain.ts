import { explainMiss, type KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";
import { readBlob } from "./read-blob.ts";
import type { TaskRequest } from "./task-request.ts";

/** Key inputs of a task with 100,000 files are about 15 MB. */
const maxKeyInputsBytes = 64 * 1024 * 1024;

/** Why there is no result, in a few words, by comparison with the last one of this task in this workspace. */
export async function explain(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<string> {
  const last = engine.lastResults.get(engine.taskId(request.task));
  if (last === undefined) return "first run";
  if (last.key === key.digest.hash) return "its result is no longer in the cache";
  try {
    const bytes = await readBlob(engine.blobs, last.keyInputs, maxKeyInputsBytes);
    const previous = JSON.parse(Buffer.from(bytes).toString()) as KeyInputs;
    const [cause] = explainMiss(previous, key.action.keyInputs());
    return cause?.text ?? "its result is no longer in the cache";
  } catch {
    return "something changed since the last result, which is no longer in the cache";
  }
}
