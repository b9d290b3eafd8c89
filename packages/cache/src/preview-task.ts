import type { TaskResult } from "@cuenv/action-cache";
import type { BlobStore, RestoreChanges } from "@cuenv/cas";
import { type Cause, explainMiss, type KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { answerKey, askForKey, type ComputedKey } from "./compute-key.ts";
import { notRead } from "./first-look-up.ts";
import { editedOutputOf, editedText } from "./edited-output.ts";
import { explain, storedKeyInputs } from "./explain.ts";
import { changesOfHit } from "./changes-of-hit.ts";
import { type FoundResult, hitPreview } from "./hit-preview.ts";
import { isComplete } from "./is-complete.ts";
import { blockedText, entryMissText, incompleteText } from "./look-up.ts";
import { previewKnown } from "./preview-known.ts";
import { remoteResult } from "./remote-look-up.ts";
import { blindText, isBlind, keyForDependents, resolvedMode } from "./resolved-mode.ts";
import type { DependencyState, TaskRequest } from "./task-request.ts";

/** What a run of a task would find in the cache now. */
export interface TaskPreview {
  readonly outcome: "hit" | "miss";
  /** Undefined when none can be computed. */
  readonly key: string | undefined;
  /** Made when it is asked for: of 200 tasks it takes 25 ms. Always of a key, where the preview was asked to have it. */
  readonly keyInputs: () => KeyInputs | undefined;
  /** In a few words: of a miss its reason, of a hit what differs from the last other result of the workspace. */
  readonly text: string;
  /** The differences to the last result; of a hit, to the last other one. The most telling first. */
  readonly causes: readonly Cause[];
  /** The stored result, on a hit. */
  readonly result: TaskResult | undefined;
  /** What it would change on the disk; undefined without a result, or when that cannot be found out. */
  readonly changes: RestoreChanges | undefined;
  /** Which store it is in. */
  readonly tier: string | undefined;
  /** Where its blobs are. */
  readonly blobs: BlobStore;
  /** For dependents; undefined when the task would run and they see outputs that nobody knows before. */
  readonly state: DependencyState | undefined;
}

/**
 * Computes the key of a task whose dependencies are known, and looks it up. Nothing is restored, run or stored.
 * @param hasInputs whether somebody asks for `keyInputs`
 * @throws {CuenvError} for mistakes of the configuration (patterns that cannot be read)
 */
export async function previewTask(
  engine: CacheEngine,
  request: TaskRequest,
  { hasInputs }: { readonly hasInputs: boolean },
): Promise<TaskPreview> {
  const { read } = resolvedMode(request);
  const question = await askForKey(engine, request);
  if (read && !hasInputs && question.kind === "question") {
    const known = await previewKnown(engine, request, question);
    if (known !== undefined) return known;
  }
  const computed =
    question.kind === "noKey" ? question : await answerKey(engine, request, question);
  const none = withoutKey(engine);
  if (computed.kind === "noKey")
    return { ...none, outcome: "miss", text: computed.text, state: afterRun(request, undefined) };
  const { key } = computed;
  const miss = (text: string, causes: readonly Cause[] = []): TaskPreview => ({
    ...none,
    key: key.digest.hash,
    keyInputs: () => key.action.keyInputs(),
    outcome: "miss",
    text,
    causes,
    state: afterRun(request, key.digest.hash),
  });
  const hit = async (found: FoundResult): Promise<TaskPreview> => {
    if (found.changes?.isBlocked === true) return miss(blockedText);
    const edited = await editedOutputOf(engine, request, found.result.outputs);
    if (edited !== undefined) return miss(editedText(edited));
    const causes = await causesOfHit(engine, request, key);
    const { hash } = key.digest;
    const keyInputs = (): KeyInputs => key.action.keyInputs();
    return hitPreview(engine, request, found, { hash, keyInputs, causes });
  };
  if (!read) return miss(notRead(request).detail);
  const { maxAgeMs } = request.task.cache;
  const found = await engine.actions.get(key.digest, maxAgeMs === undefined ? {} : { maxAgeMs });
  if (found.kind === "hit") {
    const { result } = found;
    const changes = await changesOfHit(engine, request, result);
    if (await isComplete(engine, request, result, changes))
      return hit({ ...engine, result, changes });
  }
  const remote = await remoteResult(engine, request, key);
  if (remote?.kind === "hit")
    return hit({ ...remote, changes: await changesOfHit(engine, request, remote.result) });
  if (found.kind === "hit") return miss(incompleteText);
  if (found.reason !== "absent") return miss(entryMissText(found));
  if (remote !== undefined) return miss(entryMissText(remote));
  const { text, causes } = await explain(engine, request, key);
  return miss(text, causes);
}

/**
 * Of a task that uses what a blind dependency prints (see {@link isBlind}): no key of it is known before that ran, and none is looked up
 * then. Undefined when no dependency is blind.
 */
export function previewAfterBlind(
  engine: CacheEngine,
  dependencies: readonly DependencyState[],
): TaskPreview | undefined {
  const blind = dependencies.find(isBlind);
  return blind === undefined
    ? undefined
    : { ...withoutKey(engine), outcome: "miss", text: blindText(blind), state: undefined };
}

function withoutKey({ blobs }: CacheEngine) {
  return {
    key: undefined,
    keyInputs: () => undefined,
    causes: [],
    result: undefined,
    changes: undefined,
    tier: undefined,
    blobs,
  };
}

/** Who has no outputs counts with the key, which is known before the run; outputs are not. */
function afterRun(request: TaskRequest, key: string | undefined): DependencyState | undefined {
  const { name, outputs = [] } = request.task;
  if (outputs.length > 0) return undefined;
  return {
    task: name,
    ...keyForDependents(request, key),
    outputs: undefined,
    declaredOutputs: [],
  };
}

/** What the hit differs in from the last other result, made or restored, of this workspace: of the last one itself, why it was a miss once, as a rule. */
async function causesOfHit(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<readonly Cause[]> {
  const last = engine.lastResults.get(engine.taskId(request.task));
  const digest = last?.key === key.digest.hash ? last.previous : last?.keyInputs;
  const previous = digest && (await storedKeyInputs(engine, digest));
  return previous === undefined ? [] : explainMiss(previous, key.action.keyInputs());
}
