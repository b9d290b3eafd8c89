import { type CacheFolder, entryId, entryPath, storeUnavailable } from "@cuenv/cas";
import type { DigestFunction } from "@cuenv/digest";
import { unlinkSync } from "node:fs";
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
  const attempt = <Value>(
    what: string,
    key: ActionKey,
    step: (path: string) => Value,
  ): Promise<Value> => {
    try {
      assertActionKey(key);
      const path = entryPath(folder.root, digestFunction, key.namespace, key.digest.hash);
      return Promise.resolve(step(path));
    } catch (error) {
      const isOurs =
        error instanceof Error &&
        "code" in error &&
        (error.code === "DIGEST_INVALID" || error.code === "AC_NAMESPACE_INVALID");
      const failure = isOurs
        ? error
        : storeUnavailable(`${what} entry ${key.digest.hash}`, error, "AC_STORE_UNAVAILABLE");
      return Promise.reject(failure);
    }
  };
  const idOf = (key: ActionKey): string => entryId(digestFunction, key.namespace, key.digest.hash);
  return {
    digestFunction,
    get: (key) =>
      attempt("read", key, (path) => {
        folder.assertReadable();
        const bytes = folder.readFile(path, maxEntryBytes);
        if (bytes !== undefined) folder.recordUse(idOf(key));
        return bytes;
      }),
    put: (key, entry) =>
      attempt("write", key, (path) => {
        folder.assertWritable();
        folder.writeFile(path, entry);
        folder.recordEntry(idOf(key), entry.length);
      }),
    delete: (key) =>
      attempt("delete", key, (path) => {
        folder.assertWritable();
        try {
          unlinkSync(path);
        } catch (error) {
          if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
        }
      }),
  };
}
