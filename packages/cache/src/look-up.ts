import type { Lookup, TaskResult } from "@cuenv/action-cache";
import { restoreOutputs, type RestoreMissReason, type RestoreResult } from "@cuenv/cas";
import type { Digest, FileIndex } from "@cuenv/digest";
import type { CacheEngine } from "./cache-engine.ts";
import type { MissReason, RefusedReason } from "./cache-event.ts";
import type { ComputedKey } from "./compute-key.ts";
import { editedOutput, editedText } from "./edited-output.ts";
import { isKnownInPlace, keepPlace, placeId } from "./known-place.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskRequest } from "./task-request.ts";

export interface Hit {
  readonly kind: "hit";
  readonly result: TaskResult;
  readonly tier: string;
  readonly restoredFiles: number;
  /** Undefined: no; they are in place. */
  readonly isOutputLeft?: boolean;
}

export type LookUp =
  | Hit
  | { readonly kind: "miss"; readonly reason: MissReason; readonly detail: string };

/** Output that is replayed from memory; more is read twice: once to verify it, once to give it (64 MiB). */
const maxReplayMemoryBytes = 64 * 1024 * 1024;

/**
 * Finds the result under a key, puts its outputs in place and replays its output. All of it is verified before the first
 * byte is given or written: a miss changes nothing.
 *
 * @param outputs `leave` them where they are, which is not here; then only what was printed is verified and given
 */
export async function lookUp(
  engine: CacheEngine,
  request: TaskRequest,
  key: Pick<ComputedKey, "digest">,
  outputs: "restore" | "leave" = "restore",
): Promise<LookUp> {
  const { maxAgeMs } = request.task.cache;
  const found = await engine.actions.get(key.digest, {
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  });
  if (found.kind === "miss") return await entryMiss(engine, request, key, found);
  const { result } = found;
  const replay = request.replay ?? request.output;
  let replaying = false;
  try {
    const isRead = replay !== "nowhere";
    const stdout = await verifiedOutput(engine, isRead ? result.stdout : null);
    const stderr = await verifiedOutput(engine, isRead ? result.stderr : null);
    const restored = outputs === "leave" ? 0 : await putInPlace(engine, request, key, result);
    if (typeof restored !== "number") return restored;
    replaying = true;
    if (replay !== "nowhere") {
      for await (const chunk of stdout()) await replay.stdout(chunk);
      for await (const chunk of stderr()) await replay.stderr(chunk);
    }
    const isOutputLeft = outputs === "leave";
    return { kind: "hit", result, tier: engine.tier, restoredFiles: restored, isOutputLeft };
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    const miss = missOf(engine, request, error);
    if (miss !== undefined) return miss;
    // Where the output goes to is gone: that is no failure of the cache.
    if (replaying) throw error;
    // No descriptor left for a blob or for our own code, say: the task runs without the cache.
    return lookupMiss(engine, request, "unreadable", messageOf(error));
  }
}

/** How many files were not there as they are now; or why they are not. */
async function putInPlace(
  engine: CacheEngine,
  request: TaskRequest,
  key: Pick<ComputedKey, "digest">,
  result: TaskResult,
): Promise<number | LookUp> {
  const started = process.uptime() * 1000;
  const outputs = ownOutputs(engine, request.task.outputs);
  const place = { outputs, entries: result.outputs };
  const id = placeId(engine, place);
  if (isKnownInPlace(engine, id)) return 0;
  engine.markedOutputs.tell(engine.index, id, place.entries);
  const restore = (index: FileIndex): Promise<RestoreResult> =>
    restoreOutputs({
      ...place,
      index,
      projectDirectory: engine.projectPath,
      store: engine.blobs,
      temporaryDirectory: () => engine.folder.temporaryDirectory(),
      spared: editedOutput(engine, request),
      changing: () => engine.writers?.restoring(engine.taskId(request.task), key.digest.hash),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
  const wasInPlace = (seen: RestoreResult): boolean => seen.kind === "restored" && seen.wasInPlace;
  const restored = await keepPlace(engine, id, restore, wasInPlace);
  if (restored.kind === "miss")
    return await restoreMiss(engine, request, key, restored.reason, restored.detail);
  const { restoredFiles: files, restoredBytes: bytes, marks } = restored;
  if (marks !== undefined) engine.markedOutputs.note(id, place.entries, marks);
  if (files > 0) {
    engine.emit({
      type: "restored",
      task: request.task.name,
      files,
      bytes,
      durationMs: process.uptime() * 1000 - started,
    });
  }
  return files;
}

/**
 * An entry that somebody else could have put there is told, and taken away: it would be refused again and again. One of an unknown key stays until a result of
 * ours takes its place: it may be good for others, or our own, of a key that cannot be read today.
 */
async function entryMiss(
  engine: CacheEngine,
  request: TaskRequest,
  key: Pick<ComputedKey, "digest">,
  { reason, detail, refusal }: Lookup & { readonly kind: "miss" },
): Promise<LookUp> {
  const refused: RefusedReason | undefined =
    reason === "keyMismatch" ? "keyMismatch" : refusal?.reason;
  if (refused === undefined) return lookupMiss(engine, request, reason, detail);
  const keyId = refusal?.keyId;
  const untrusted = {
    kind: "miss",
    reason: "untrusted",
    detail: "its stored result is not trusted",
  } as const;
  if (refused === "unknownKey" && isToldStranger(engine, key, keyId)) return untrusted;
  engine.emit({
    type: "refused",
    task: request.task.name,
    key: key.digest.hash,
    reason: refused,
    keyId,
  });
  if (refused !== "unknownKey") await engine.actions.quarantine(key.digest);
  if (refused === "keyMismatch") return lookupMiss(engine, request, reason, detail);
  trouble(
    engine,
    request,
    `untrusted ${keyId ?? refused}`,
    `stored results are not used, that of ${request.task.name} for one: ${detail}`,
  );
  return untrusted;
}

/** A key is looked up twice where its lease was waited for. */
function isToldStranger(
  { strangers }: CacheEngine,
  { digest }: Pick<ComputedKey, "digest">,
  keyId: string | undefined,
): boolean {
  const told = strangers.get(digest.hash);
  if (told?.has(keyId) === true) return true;
  strangers.set(digest.hash, new Set(told).add(keyId));
  return false;
}

/** Why an entry is not used, in the words of a run; nothing is told or taken away. */
export function entryMissText({
  reason,
  detail,
  refusal,
}: Lookup & { readonly kind: "miss" }): string {
  if (refusal !== undefined) return `its stored result is not trusted: ${detail}`;
  const known = knownReason(reason);
  const text = missText(known, detail);
  return text === detail || known === "incomplete" || known === "otherVersion"
    ? text
    : `${text}: ${detail}`;
}

const missReasons = {
  absent: "absent",
  expired: "expired",
  incomplete: "incomplete",
  unreadable: "unreadable",
  unknownVersion: "otherVersion",
} as const satisfies Record<string, MissReason>;

function lookupMiss(
  engine: CacheEngine,
  request: TaskRequest,
  reason: string,
  detail: string,
): LookUp {
  const known = knownReason(reason);
  if (known === "corrupt")
    trouble(
      engine,
      request,
      "corruptEntry",
      `the stored result of ${request.task.name} is not used: ${detail}`,
    );
  if (known === "unreadable")
    trouble(engine, request, "unavailable", `the cache cannot be used: ${detail}`);
  return { kind: "miss", reason: known, detail: missText(known, detail) };
}

function knownReason(reason: string): MissReason {
  return Object.hasOwn(missReasons, reason)
    ? missReasons[reason as keyof typeof missReasons]
    : "corrupt";
}

export const blockedText = "its outputs could not be restored";

export const incompleteText = "part of its stored result is gone";

function missText(reason: MissReason, detail: string): string {
  switch (reason) {
    case "corrupt":
      return "its stored result is damaged";
    case "incomplete":
      return incompleteText;
    case "otherVersion":
      return `its stored result is of another version of cuenv (${detail})`;
    case "expired":
      return "its result is too old";
    case "unreadable":
      return "the cache cannot be read";
    default:
      return detail;
  }
}

async function restoreMiss(
  engine: CacheEngine,
  request: TaskRequest,
  key: Pick<ComputedKey, "digest">,
  reason: RestoreMissReason,
  detail: string,
): Promise<LookUp> {
  switch (reason) {
    case "incomplete":
      return { kind: "miss", reason: "incomplete", detail: missText("incomplete", detail) };
    case "corrupt":
    case "invalid":
      await engine.actions.forget(key.digest);
      trouble(
        engine,
        request,
        "corruptBlob",
        `the stored result of ${request.task.name} is not used: ${detail}`,
      );
      return { kind: "miss", reason: "corrupt", detail: missText("corrupt", detail) };
    case "spared":
      return { kind: "miss", reason: "editedOutput", detail: editedText(detail) };
    case "unavailable":
      return lookupMiss(engine, request, "unreadable", detail);
    case "failed":
      trouble(
        engine,
        request,
        "restoreFailed",
        `the outputs of ${request.task.name} could not be restored: ${detail}`,
      );
      return { kind: "miss", reason: "restoreFailed", detail: blockedText };
  }
}

/** What a store fails with as a miss; undefined: it is something else. */
function missOf(engine: CacheEngine, request: TaskRequest, error: unknown): LookUp | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "CAS_BLOB_NOT_FOUND")
    return { kind: "miss", reason: "incomplete", detail: missText("incomplete", "") };
  const detail = messageOf(error);
  if (code === "CAS_BLOB_CORRUPT") return lookupMiss(engine, request, "corrupt", detail);
  return code === "CAS_STORE_UNAVAILABLE"
    ? lookupMiss(engine, request, "unreadable", detail)
    : undefined;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function trouble(engine: CacheEngine, request: TaskRequest, cause: string, message: string): void {
  engine.emit({ type: "trouble", task: request.task.name, cause, message });
}

/** The chunks of a stream, once the whole of it was found right. */
async function verifiedOutput(
  engine: CacheEngine,
  digest: Digest | null,
): Promise<() => AsyncIterable<Uint8Array> | Iterable<Uint8Array>> {
  if (digest === null || digest.sizeBytes === 0) return () => [];
  const whole = engine.blobs.readSync?.(digest);
  if (whole !== undefined) return () => [whole];
  const chunks: Uint8Array[] = [];
  for await (const chunk of engine.blobs.read(digest)) {
    if (digest.sizeBytes <= maxReplayMemoryBytes) chunks.push(chunk);
  }
  return chunks.length > 0 ? () => chunks : () => engine.blobs.read(digest);
}
