import { type DigestFunction, formatDigest } from "@cuenv/digest";
import { assertActionKey } from "./action-key.ts";
import type { ActionKey, ActionStore } from "./action-store.ts";

export interface MemoryActionStoreOptions {
  readonly digestFunction: DigestFunction;
  /** What all entries together may take; the least recently used go first. */
  readonly maxBytes: number;
}

/** Entries in memory: the tier before the disk, and the whole store where no disk can be written. */
export function createMemoryActionStore(options: MemoryActionStoreOptions): ActionStore {
  /** The order of a Map is the order of use. */
  const entries = new Map<string, Uint8Array>();
  let totalBytes = 0;
  const nameOf = (key: ActionKey): string => {
    assertActionKey(key);
    return `${key.namespace}/${formatDigest(key.digest)}`;
  };
  const drop = (name: string): void => {
    totalBytes -= entries.get(name)?.length ?? 0;
    entries.delete(name);
  };
  const keep = (name: string, entry: Uint8Array): void => {
    drop(name);
    if (entry.length > options.maxBytes) return;
    entries.set(name, new Uint8Array(entry));
    totalBytes += entry.length;
    for (const oldest of entries.keys()) {
      if (totalBytes <= options.maxBytes) break;
      drop(oldest);
    }
  };
  return {
    digestFunction: options.digestFunction,
    get: async (key, signal) => {
      signal?.throwIfAborted();
      const name = nameOf(key);
      const entry = entries.get(name);
      if (entry === undefined) return undefined;
      entries.delete(name);
      entries.set(name, entry);
      return new Uint8Array(entry);
    },
    put: async (key, entry, signal) => {
      signal?.throwIfAborted();
      keep(nameOf(key), entry);
    },
    create: async (key, entry, signal) => {
      signal?.throwIfAborted();
      const name = nameOf(key);
      if (entries.has(name)) return false;
      keep(name, entry);
      return true;
    },
    delete: async (key, signal) => {
      signal?.throwIfAborted();
      drop(nameOf(key));
    },
  };
}
