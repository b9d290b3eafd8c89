import type { Digest, DigestFunction } from "@cuenv/digest";

/** What a result is stored under: the digest of its Action, and the namespace (tenant) that it belongs to. */
export interface ActionKey {
  readonly digest: Digest;
  /** Path-safe: `^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`. */
  readonly namespace: string;
}

/** An entry as `getChanged` gives it. */
export interface VersionedEntry {
  /** Undefined: the entry has the version that was asked with. */
  readonly bytes: Uint8Array | undefined;
  /** Undefined: the entry is too young to tell this version from the next. */
  readonly version: string | undefined;
}

/**
 * A store of entries: exact bytes (an envelope around a result, see entry.ts) by action key. It neither reads nor
 * trusts what it holds. This comment is the contract; `@cuenv/action-cache/contract` runs it.
 *
 * - `get` gives the bytes that were put last, or undefined; never a part of them, never a mixture.
 * - `create` stores where nothing is stored, atomically: of many at once one gets true. (A remote cache, whose protocol has no conditional write, looks
 *   first: there, many at once may get it.)
 * - `put` replaces atomically. All calls may run concurrently, in one process and in many.
 * - `get` counts as use for eviction, and so does `getChanged`.
 * - `delete` of what is not there is no error.
 * - Errors: AC_STORE_UNAVAILABLE with the system's error as `cause`. A missing entry is never an error.
 */
export interface ActionStore {
  readonly digestFunction: DigestFunction;
  get(key: ActionKey, signal?: AbortSignal): Promise<Uint8Array | undefined>;
  /**
   * As `get`, but where the entry has the version `known` no bytes are given: they are those that were given with that version, be it in
   * another process. Stores that can tell no versions have no such method.
   */
  getChanged?(
    key: ActionKey,
    known: string | undefined,
    signal?: AbortSignal,
  ): Promise<VersionedEntry | undefined>;
  put(key: ActionKey, entry: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** False, and nothing changed, when the key has an entry, whatever it is. */
  create(key: ActionKey, entry: Uint8Array, signal?: AbortSignal): Promise<boolean>;
  delete(key: ActionKey, signal?: AbortSignal): Promise<void>;
  /** Takes an entry out and keeps it aside, within bounds, for a look at it. Stores that cannot leave it where it is. */
  quarantine?(key: ActionKey): Promise<void>;
}
