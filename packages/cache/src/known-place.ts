import type { OutputEntry } from "@cuenv/cas";
import type { FileIndex } from "@cuenv/digest";
import type { Evidence, SelectionCheck } from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { entriesId, idOf } from "./conclusion-id.ts";

/** What has to be in place: the entries of a result, and what else the declared outputs must not have. */
export interface Place {
  /** As `ownOutputs` gives them. */
  readonly outputs: readonly string[];
  readonly entries: readonly OutputEntry[];
}

/** Whether it was in place when the files were what they are now. False: somebody has to look. @param id see {@link placeId} */
export function isKnownInPlace({ conclusions }: CacheEngine, id: string): boolean {
  return !conclusions.isEmpty() && conclusions.recall(id) !== undefined;
}

/**
 * Has the next run know that all is in place, if it is. Then it is looked at once more, through an index that notes what it tells: where something had to be put in place, there
 * is nothing to note.
 * @param look gives what it found, or did
 */
export async function keepPlace<T>(
  engine: CacheEngine,
  id: string,
  look: (index: FileIndex) => Promise<T>,
  isInPlace: (seen: T) => boolean,
): Promise<T> {
  const seen = await look(engine.index);
  if (!engine.conclusions.isKept() || !isInPlace(seen)) return seen;
  const { index, evidence } = watchedIndex(engine.index);
  const again = await look(index);
  if (isInPlace(again)) engine.conclusions.conclude(id, "", evidence());
  return again;
}

/** A short name for a place. */
export function placeId({ projectPath }: CacheEngine, { outputs, entries }: Place): string {
  return idOf(["place", projectPath, outputs, entriesId(entries)]);
}

/** An index that notes all that it is asked and answers. Both in one call: no other task changes something between them. */
function watchedIndex(disk: FileIndex): {
  readonly index: FileIndex;
  readonly evidence: () => Evidence;
} {
  const files = new Map<string, Evidence["files"][number]>();
  const checks = new Map<string, SelectionCheck>();
  const note = (check: SelectionCheck): void =>
    void checks.set(`${check.kind} ${check.path}`, check);
  const listed = (path: string): void => note({ kind: "listing", path, hash: disk.listHash(path) });
  const index: FileIndex = {
    ...disk,
    stat: (path) => {
      const stat = disk.stat(path);
      note({ kind: "path", path, found: stat?.kind ?? "missing" });
      return stat;
    },
    digest: (path) => {
      const digest = disk.digest(path);
      files.set(path, {
        path,
        hash: digest.hash,
        executable: disk.stat(path)?.executable === true,
      });
      return digest;
    },
    readLink: (path) => {
      const target = disk.readLink(path);
      note({ kind: "link", path, target });
      return target;
    },
    list: (path) => {
      listed(path);
      return disk.list(path);
    },
    listHash: (path, without) => {
      listed(path);
      return disk.listHash(path, without);
    },
  };
  return { index, evidence: () => ({ files: [...files.values()], checks: [...checks.values()] }) };
}
