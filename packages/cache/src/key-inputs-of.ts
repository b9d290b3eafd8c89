import type { KeyInputs } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { computeKey } from "./compute-key.ts";
import type { TaskRequest } from "./task-request.ts";

/**
 * What the key of a task is made of now; undefined when it has none. Nothing is looked up.
 * @throws {CuenvError} for mistakes of the configuration (patterns that cannot be read)
 */
export async function keyInputsOf(
  engine: CacheEngine,
  request: TaskRequest,
): Promise<KeyInputs | undefined> {
  const computed = await computeKey(engine, request);
  return computed.kind === "key" ? computed.key.action.keyInputs() : undefined;
}
