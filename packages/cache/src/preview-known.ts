import type { CacheEngine } from "./cache-engine.ts";
import type { KeyQuestion } from "./compute-key.ts";
import { hitPreview } from "./hit-preview.ts";
import { isComplete } from "./is-complete.ts";
import { knownKey } from "./known-key.ts";
import { isKnownInPlace, placeId } from "./known-place.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskPreview } from "./preview-task.ts";
import type { TaskRequest } from "./task-request.ts";
import { tellInputProblems } from "./tell-input-problems.ts";

/**
 * The preview of a task whose files all are as an earlier run saw them, with its outputs in place. Undefined: it has to be looked at, or compared with an earlier result.
 */
export async function previewKnown(
  engine: CacheEngine,
  request: TaskRequest,
  question: KeyQuestion,
): Promise<TaskPreview | undefined> {
  const known = knownKey(engine, question);
  if (known === undefined || isOtherKnown(engine, request, known.digest.hash)) return undefined;
  const { digest } = known;
  const { task } = request;
  const { maxAgeMs } = task.cache;
  const found = await engine.actions.get(digest, maxAgeMs === undefined ? {} : { maxAgeMs });
  if (found.kind === "miss") return undefined;
  const { result } = found;
  const place = { outputs: ownOutputs(engine, task.outputs), entries: result.outputs };
  const changes = { writes: [], stale: [], isBlocked: false };
  if (
    !isKnownInPlace(engine, placeId(engine, place)) ||
    !(await isComplete(engine, request, result, changes))
  )
    return undefined;
  tellInputProblems(engine, request, known);
  return hitPreview(
    engine,
    request,
    { ...engine, result, changes },
    { hash: digest.hash, keyInputs: () => undefined, causes: [] },
  );
}

/** Whether the task had another result in this workspace: then people are told what differs. */
function isOtherKnown(engine: CacheEngine, { task }: TaskRequest, key: string): boolean {
  const last = engine.lastResults.get(engine.taskId(task));
  return last !== undefined && (last.key !== key || last.previous !== undefined);
}
