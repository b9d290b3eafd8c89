import { assertNamespace, type BlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import type { ActionKey, ActionStore } from "./action-store.ts";
import type { Refusal } from "@cuenv/signer";
import type { EntryFault, VerifyEnvelope } from "./decode-entry.ts";
import {
  encodeEntry,
  encodePayload,
  type EntrySignature,
  payloadType,
  type SignPayload,
} from "./encode-entry.ts";
import type { EntryMemo } from "./entry-memo.ts";
import { readEntry, type TrustsSigner } from "./read-entry.ts";
import { referencedDigests, type TaskResult } from "./task-result.ts";

/**
 * absent: no entry. expired: older than asked for. incomplete: a blob of it is not in the store. unreadable: the store
 * does not work now. untrusted: not signed by whom it would have to be. The others: see {@link EntryFault}.
 */
export type LookupMissReason =
  | "absent"
  | "expired"
  | "incomplete"
  | "unreadable"
  | "untrusted"
  | EntryFault;

export type Lookup =
  | { readonly kind: "hit"; readonly result: TaskResult }
  | {
      readonly kind: "miss";
      readonly reason: LookupMissReason;
      readonly detail: string;
      readonly cause?: unknown;
      /** With `untrusted`. */
      readonly refusal?: Refusal;
    };

export interface LookupOptions {
  /** Results that began earlier than this before now are misses. */
  readonly maxAgeMs?: number;
  /** Also asks the blob store for all blobs. A restore finds out by itself; a server must ask before it promises. */
  readonly complete?: boolean;
  readonly signal?: AbortSignal;
}

export interface ActionCacheOptions {
  readonly actions: ActionStore;
  readonly blobs: BlobStore;
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Asked for every entry that is read, before anything of it is used; undefined: whoever wrote it is believed. */
  readonly verify?: VerifyEnvelope | undefined;
  /** Asked for an entry that the memo knows, in place of `verify`. */
  readonly trusts?: TrustsSigner | undefined;
  /** What entries hold that were read before. */
  readonly memo?: EntryMemo | undefined;
  /** Signs what is stored without signatures of its own. */
  readonly sign?: SignPayload | undefined;
}

/** From the digest of an Action to its result. */
export interface ActionCache {
  readonly actions: ActionStore;
  readonly blobs: BlobStore;
  readonly namespace: string;
  /** Never throws for what a store or an entry does wrong: that is a miss. @throws the signal's reason */
  get(key: Digest, options?: LookupOptions): Promise<Lookup>;
  /**
   * Stores a result whose blobs are stored already: they are made durable first, as their store's policy says.
   * @returns the entry, as it was stored. @throws {CuenvError} AC_STORE_UNAVAILABLE, CAS_STORE_UNAVAILABLE
   */
  put(
    result: TaskResult,
    signatures?: readonly EntrySignature[],
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
  /** Takes an entry away that turned out unusable. Never throws. */
  forget(key: Digest): Promise<void>;
  /** Takes an entry away that is not trusted, and keeps it for a look at it where the store can. Never throws. */
  quarantine(key: Digest): Promise<void>;
}

export function createActionCache(options: ActionCacheOptions): ActionCache {
  const { actions, blobs, namespace } = options;
  assertNamespace(namespace);
  return {
    actions,
    blobs,
    namespace,
    get: (key, lookup = {}) => look(options, { digest: key, namespace }, lookup),
    put: async (result, signatures, signal) => {
      const { function: digestFunction, ...digest } = result.key;
      const payload = encodePayload(result);
      const all = signatures ?? (await options.sign?.(payloadType, payload));
      const entry = encodeEntry(payload, digestFunction, all);
      await blobs.flush?.(signal);
      await actions.put({ digest, namespace }, entry, signal);
      return entry;
    },
    forget: async (key) => {
      try {
        await actions.delete({ digest: key, namespace });
      } catch {
        // A store that cannot be written: the entry stays a miss by itself.
      }
    },
    quarantine: async (key) => {
      try {
        await actions.quarantine?.({ digest: key, namespace });
      } catch {
        // As above.
      }
    },
  };
}

function miss(reason: LookupMissReason, detail: string): Lookup & { readonly kind: "miss" } {
  return { kind: "miss", reason, detail };
}

async function look(
  options: ActionCacheOptions,
  key: ActionKey,
  lookup: LookupOptions,
): Promise<Lookup> {
  const { actions, blobs, now = Date.now } = options;
  const { signal, maxAgeMs } = lookup;
  signal?.throwIfAborted();
  try {
    const asked = { ...key, digestFunction: actions.digestFunction };
    const entry = await readEntry(options, asked, signal);
    if (entry === undefined) return miss("absent", "no entry under this key");
    if (entry.kind === "refused") return { ...miss("untrusted", entry.detail), refusal: entry };
    if (entry.kind === "unusable") return miss(entry.fault, entry.detail);
    const { result } = entry;
    const age = now() - Date.parse(result.startedAt);
    if (maxAgeMs !== undefined && age > maxAgeMs)
      return miss("expired", `stored ${result.startedAt}`);
    const absent =
      lookup.complete === true ? await blobs.missing(referencedDigests(result), signal) : [];
    if (absent.length > 0)
      return miss("incomplete", `${absent.length} of its blobs are not in the store`);
    return { kind: "hit", result };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: "miss", reason: "unreadable", detail, cause: error };
  }
}
