import { type CacheFolder, entryId, entryPath, removeTree, storeUnavailable } from "@cuenv/cas";
import type { DigestFunction } from "@cuenv/digest";
import { assertActionKey } from "./action-key.ts";
import type { ActionKey, ActionStore } from "./action-store.ts";
import { maxEntryBytes } from "./decode-entry.ts";

export interface DiskActionStoreOptions {
  readonly folder: CacheFolder;
  readonly digestFunction: DigestFunction;
}

/** Entries as files below `v1/ac` of a cache folder, named by the hash of their Action. */
export function createDiskActionStore(options: DiskActionStoreOptions): ActionStore {
  const { folder, digestFunction } = options;
  const idOf = (key: ActionKey): string => entryId(digestFunction, key.namespace, key.digest.hash);
  /** One synchronous step on the file of a key; what the system fails with is the store's failure. */
  const onEntry = async <Value>(
    verb: string,
    key: ActionKey,
    signal: AbortSignal | undefined,
    step: (path: string) => Value,
  ): Promise<Value> => {
    assertActionKey(key);
    signal?.throwIfAborted();
    try {
      return step(entryPath(folder.root, digestFunction, key.namespace, key.digest.hash));
    } catch (error) {
      throw storeUnavailable(`${verb} entry ${key.digest.hash}`, error, "AC_STORE_UNAVAILABLE");
    }
  };
  const read = (key: ActionKey, path: string): Buffer | undefined => {
    folder.assertReadable();
    const bytes = folder.readFile(path, maxEntryBytes);
    if (bytes !== undefined) folder.recordUse(idOf(key));
    return bytes;
  };
  return {
    digestFunction,
    get: (key, signal) => onEntry("read", key, signal, (path) => read(key, path)),
    getChanged: (key, known, signal) =>
      onEntry("read", key, signal, (path) => {
        folder.assertReadable();
        const version = folder.fileVersion(path);
        if (version !== undefined && version === known) {
          folder.recordUse(idOf(key));
          return { bytes: undefined, version };
        }
        const bytes = read(key, path);
        // Another entry may have been put in its place meanwhile.
        const isSame = version !== undefined && folder.fileVersion(path) === version;
        return bytes && { bytes, version: isSame ? version : undefined };
      }),
    put: (key, entry, signal) =>
      onEntry("write", key, signal, (path) => {
        folder.assertWritable();
        folder.writeFile(path, entry);
        folder.recordEntry(idOf(key), entry.length);
      }),
    create: (key, entry, signal) =>
      onEntry("write", key, signal, (path) => {
        folder.assertWritable();
        if (!folder.createFile(path, entry)) return false;
        folder.recordEntry(idOf(key), entry.length);
        return true;
      }),
    delete: (key, signal) =>
      onEntry("delete", key, signal, (path) => {
        folder.assertWritable();
        removeTree(path);
      }),
    quarantine: (key) => onEntry("move", key, undefined, folder.quarantine),
  };
}
