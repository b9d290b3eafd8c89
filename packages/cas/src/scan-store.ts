import { type DigestFunction, digestFunctions, isHash } from "@cuenv/digest";
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { type DiskLayout, type EntryId, entryId } from "./disk-layout.ts";
import { isAbsence } from "./system-error.ts";

/** A file of the store, found by looking. */
export interface StoredFile {
  readonly digestFunction: DigestFunction;
  readonly hash: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  /** When the file was made; the modification where the file system does not say. */
  readonly createdMs: number;
}

export interface StoredEntry extends StoredFile {
  readonly id: EntryId;
  readonly namespace: string;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Files of the store below a folder of shards. What does not look like one is somebody else's and passed over. */
async function* filesBelow(
  directory: string,
  digestFunction: DigestFunction,
  signal: AbortSignal | undefined,
): AsyncGenerator<StoredFile> {
  for (const shard of namesIn(directory)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    signal?.throwIfAborted();
    // 256 shards: others get a turn after each.
    await setImmediate();
    for (const hash of namesIn(`${directory}/${shard}`)) {
      if (!isHash(hash) || !hash.startsWith(shard)) continue;
      const path = `${directory}/${shard}/${hash}`;
      const stat = statOf(path);
      if (stat?.isFile() !== true) continue;
      const { size: sizeBytes, mtimeMs: modifiedMs, birthtimeMs } = stat;
      const createdMs = birthtimeMs > 0 ? Math.min(birthtimeMs, modifiedMs) : modifiedMs;
      yield { digestFunction, hash, path, sizeBytes, modifiedMs, createdMs };
    }
  }
}

export async function* scanBlobs(
  layout: DiskLayout,
  signal?: AbortSignal,
): AsyncGenerator<StoredFile> {
  for (const digestFunction of digestFunctions) {
    yield* filesBelow(`${layout.blobs}/${digestFunction}`, digestFunction, signal);
  }
}

export async function* scanEntries(
  layout: DiskLayout,
  signal?: AbortSignal,
): AsyncGenerator<StoredEntry> {
  for (const digestFunction of digestFunctions) {
    const directory = `${layout.entries}/${digestFunction}`;
    for (const namespace of namesIn(directory)) {
      for await (const file of filesBelow(`${directory}/${namespace}`, digestFunction, signal)) {
        yield { ...file, namespace, id: entryId(digestFunction, namespace, file.hash) };
      }
    }
  }
}
