import type { Digest } from "@cuenv/digest";
import type { CacheEngine } from "./cache-engine.ts";
import { answerKey, askForKey, type ComputedKey, type NoKey } from "./compute-key.ts";
import { keepKey, knownKey } from "./known-key.ts";
import { type Hit, lookUp, type LookUp } from "./look-up.ts";
import { blindText, isBlind } from "./resolved-mode.ts";
import type { TaskRequest } from "./task-request.ts";
import { tellInputProblems } from "./tell-input-problems.ts";

export type Missed = LookUp & { readonly kind: "miss" };

export type FirstLookUp =
  | { readonly kind: "hit"; readonly digest: Digest; readonly hit: Hit }
  | { readonly kind: "miss"; readonly key: ComputedKey; readonly missed: Missed }
  | NoKey;

/**
 * The key of a task, and what this machine has under it. Where an earlier run knew the key of the same question and files, what it was made of is computed for a miss only.
 * @throws {CuenvError} for mistakes of the configuration (patterns that cannot be read)
 */
export async function firstLookUp(
  engine: CacheEngine,
  request: TaskRequest,
  { read }: { readonly read: boolean },
): Promise<FirstLookUp> {
  const started = process.uptime() * 1000;
  const keyed = (): void =>
    engine.emit({
      type: "keyed",
      task: request.task.name,
      durationMs: process.uptime() * 1000 - started,
    });
  const question = await askForKey(engine, request);
  if (question.kind === "noKey") {
    keyed();
    return question;
  }
  const known = read ? knownKey(engine, question) : undefined;
  if (known !== undefined) {
    tellInputProblems(engine, request, known);
    keyed();
  }
  const early = known && (await timedLookUp(engine, request, known.digest));
  if (known !== undefined && early?.kind === "hit")
    return { kind: "hit", digest: known.digest, hit: early };
  const computed = await answerKey(engine, request, question, { isTold: known !== undefined });
  if (known === undefined) keyed();
  if (computed.kind === "noKey") return computed;
  const { key } = computed;
  if (!read) return { kind: "miss", key, missed: notRead(request) };
  // Something may have changed in between.
  const isSame = known?.digest.hash === key.digest.hash;
  const found =
    isSame && early !== undefined ? early : await timedLookUp(engine, request, key.digest);
  if (found.kind === "miss") return { kind: "miss", key, missed: found };
  keepKey(engine, question, key);
  return { kind: "hit", digest: key.digest, hit: found };
}

async function timedLookUp(
  engine: CacheEngine,
  request: TaskRequest,
  digest: Digest,
): Promise<LookUp> {
  const started = process.uptime() * 1000;
  const found = await lookUp(engine, request, { digest });
  const durationMs = process.uptime() * 1000 - started;
  engine.emit({ type: "lookup", task: request.task.name, key: digest.hash, durationMs });
  return found;
}

/** The miss of what looks nothing up: what stands in its way, or who wanted it so. */
export function notRead(request: TaskRequest): Missed {
  const blind = request.dependencies.find(isBlind);
  if (blind !== undefined) {
    return {
      kind: "miss",
      reason: "uncachedDependency",
      detail: blindText(blind),
    };
  }
  return {
    kind: "miss",
    reason: "notRead",
    detail: request.force ? "forced" : "the cache is not read",
  };
}
