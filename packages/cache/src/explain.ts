import type { Digest } from "@cuenv/digest";
import { explainMiss, type KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";
import { readBlob } from "./read-blob.ts";
import type { TaskRequest } from "./task-request.ts";

/** Key inputs of a task with 100,000 files are about 15 MB. */
const maxKeyInputsBytes = 64 * 1024 * 1024;

export const evicted = "its result is no longer in the cache";

/** Why there is no result, in a few words, by comparison with the last one of this task in this workspace. */
export async function explain(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<string> {
  const last = engine.lastResults.get(engine.taskId(request.task));
  if (last === undefined) return "first run";
  if (last.key === key.digest.hash) return evicted;
  const previous = await storedKeyInputs(engine, last.keyInputs);
  if (previous === undefined)
    return "something changed since the last result, which is no longer in the cache";
  const [cause] = explainMiss(previous, key.action.keyInputs());
  return cause?.text ?? evicted;
}

/** What a key was made of; undefined when it is no longer stored, or damaged. */
export async function storedKeyInputs(
  engine: Pick<CacheEngine, "blobs">,
  digest: Digest,
): Promise<KeyInputs | undefined> {
  try {
    const bytes = await readBlob(engine.blobs, digest, maxKeyInputsBytes);
    return JSON.parse(Buffer.from(bytes).toString()) as KeyInputs;
  } catch {
    return undefined;
  }
}
