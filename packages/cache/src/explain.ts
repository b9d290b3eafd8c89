import type { Digest } from "@cuenv/digest";
import { type Cause, explainMiss, type KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";
import { readBlob } from "./read-blob.ts";
import type { TaskRequest } from "./task-request.ts";

/** Key inputs of a task with 100,000 files are about 15 MB. */
const maxKeyInputsBytes = 64 * 1024 * 1024;

const evicted = "its result is no longer in the cache";

export interface Explanation {
  /** In a few words. */
  readonly text: string;
  /** The most telling first; empty when there is nothing to compare with. */
  readonly causes: readonly Cause[];
}

/** Why there is no result, by comparison with the last one of this task in this workspace. */
export async function explain(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<Explanation> {
  const last = engine.lastResults.get(engine.taskId(request.task));
  if (last?.key === key.digest.hash) return { text: evicted, causes: [] };
  const previous = last && (await storedKeyInputs(engine, last.keyInputs));
  if (last !== undefined && previous === undefined) {
    const text = "something changed since the last result, which is no longer in the cache";
    return { text, causes: [] };
  }
  const causes = explainMiss(previous, key.action.keyInputs(), {
    exists: (path) => engine.index.stat(path) !== undefined,
  });
  return { text: causes[0]?.text ?? evicted, causes };
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
