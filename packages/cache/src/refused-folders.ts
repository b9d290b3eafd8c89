import { type FileIndex, isRefused } from "@cuenv/digest";

/**
 * An index to which a folder that is not ours to list is an empty one: for who waits for changes. What is in it nobody can wait for, and what is beside it changes all
 * the same. No key may be made of it.
 */
export function withoutRefusedFolders(index: FileIndex): FileIndex {
  const unlessRefused = <Value>(look: () => Value, otherwise: Value): Value => {
    try {
      return look();
    } catch (error) {
      if (!isRefused(error)) throw error;
      return otherwise;
    }
  };
  return {
    ...index,
    list: (path) => unlessRefused(() => index.list(path), []),
    listHash: (path, without) => unlessRefused(() => index.listHash(path, without), ""),
  };
}
