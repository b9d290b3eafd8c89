import type { TaskResult } from "@cuenv/action-cache";
import { blockedOutput, type RestoreChanges, restoreChanges } from "@cuenv/cas";
import type { CacheEngine } from "./cache-engine.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskRequest } from "./task-request.ts";

type Planned = Parameters<typeof restoreChanges>[0];

/** For who only looks: what putting a result in place would change. Undefined when that cannot be found out: whoever tries says why. */
export function changesOfHit(
  engine: CacheEngine,
  request: TaskRequest,
  result: TaskResult,
): Promise<RestoreChanges | undefined> {
  return ifKnown(restoreChanges, engine, request, result);
}

/** For who only looks: whether something in the workspace, a link above an output, is in the way of a result. */
export async function isBlockedHit(
  engine: CacheEngine,
  request: TaskRequest,
  result: TaskResult,
): Promise<boolean> {
  return (await ifKnown(blockedOutput, engine, request, result)) !== undefined;
}

async function ifKnown<Found>(
  find: (planned: Planned) => Promise<Found>,
  { index, projectPath: projectDirectory, excludedPaths }: CacheEngine,
  { task }: TaskRequest,
  { outputs: entries }: TaskResult,
): Promise<Found | undefined> {
  const outputs = ownOutputs({ excludedPaths }, task.outputs);
  try {
    return await find({ index, projectDirectory, outputs, entries });
  } catch {
    return undefined;
  }
}
