import { createDiskBlobStore } from "@cuenv/cas";
import { type Digest, digestFunctions } from "@cuenv/digest";
import { type Cause, explainMiss, type ExplainOptions, type KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";
import { readBlob } from "./read-blob.ts";
import type { TaskRequest } from "./task-request.ts";

/** Key inputs of a task with 100,000 files are about 15 MB. */
const maxKeyInputsBytes = 64 * 1024 * 1024;

/** How much is read of results before the last one, together (1 MiB): 5 ms. */
const maxEarlierBytes = 1024 * 1024;

/** No other result can be nearer. */
const nearest = 1;

const evicted = "its result is no longer in the cache";

export interface Explanation {
  /** In a few words. */
  readonly text: string;
  /** The most telling first; empty when there is nothing to compare with. */
  readonly causes: readonly Cause[];
}

/** Why there is no result, by comparison with the nearest one that this task had in this workspace; `without` what these dependencies made. */
export async function explain(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  without?: ReadonlySet<string>,
): Promise<Explanation> {
  const taskId = engine.taskId(request.task);
  const last = engine.lastResults.get(taskId);
  const current = key.digest.hash;
  if (last?.key === current) return { text: evicted, causes: [] };
  const earlier = engine.lastResults.earlier(taskId);
  // Back to what was once: it was here, and is not any more.
  if (earlier.some((result) => result.key === current)) return { text: evicted, causes: [] };
  const candidates = [...(last === undefined ? [] : [last]), ...earlier];
  const found = await nearestCauses(engine, candidates, key.action.keyInputs(), {
    exists: (path) => engine.index.stat(path) !== undefined,
    ...(without === undefined ? {} : { without }),
  });
  if (found === undefined && last !== undefined) {
    const text = "something changed since the last result, which is no longer in the cache";
    return { text, causes: [] };
  }
  const causes = found ?? explainMiss(undefined, key.action.keyInputs());
  return { text: causes[0]?.text ?? evicted, causes };
}

/** What the key differs in from the result that it has most in common with; of equals, the newer one. Undefined: none can be read. */
async function nearestCauses(
  engine: CacheEngine,
  candidates: readonly { readonly key: string; readonly keyInputs: Digest }[],
  current: KeyInputs,
  options: ExplainOptions,
): Promise<readonly Cause[] | undefined> {
  const seen = new Set<string>();
  let best: { readonly causes: readonly Cause[]; readonly distance: number } | undefined;
  let bytes = 0;
  for (const { key, keyInputs } of candidates) {
    if (seen.has(key)) continue;
    seen.add(key);
    if (best !== undefined && (bytes += keyInputs.sizeBytes) > maxEarlierBytes) break;
    const previous = await storedKeyInputs(engine, keyInputs);
    if (previous === undefined) continue;
    const causes = explainMiss(previous, current, options);
    const distance = causes.reduce((sum, { components }) => sum + components.length, 0);
    if (best === undefined || distance < best.distance) best = { causes, distance };
    if (distance <= nearest) break;
  }
  return best?.causes;
}

/** What a key was made of; undefined when it is no longer stored, or damaged. */
export async function storedKeyInputs(
  engine: Pick<CacheEngine, "blobs" | "folder" | "settings">,
  digest: Digest,
): Promise<KeyInputs | undefined> {
  for (const blobs of storesOf(engine)) {
    try {
      const bytes = await readBlob(blobs(), digest, maxKeyInputsBytes);
      return JSON.parse(Buffer.from(bytes).toString()) as KeyInputs;
    } catch {
      // Not there: it may be from before the digest function was another one.
    }
  }
  return undefined;
}

function storesOf({
  blobs,
  folder,
  settings,
}: Pick<CacheEngine, "blobs" | "folder" | "settings">): readonly (() => CacheEngine["blobs"])[] {
  const others = digestFunctions.filter((name) => name !== settings.digestFunction);
  return [
    () => blobs,
    ...others.map((digestFunction) => () => createDiskBlobStore({ folder, digestFunction })),
  ];
}
