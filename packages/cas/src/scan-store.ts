import { type DigestFunction, digestFunctions, isAbsence, isHash, isRefused } from "@cuenv/digest";
import { lstatSync, readdirSync, type Stats } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { dirname } from "node:path";
import { type DiskLayout, type EntryId, entryId } from "./disk-layout.ts";

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

export interface ScanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told of a folder that may not be looked into, another user's, which is passed over then; without it, that ends the scan. */
  readonly onRefused?: ((folder: string) => void) | undefined;
}

function namesIn(directory: string, { onRefused }: ScanOptions): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (isAbsence(error)) return [];
    if (onRefused === undefined || !isRefused(error)) throw error;
    onRefused(directory);
    return [];
  }
}

function statOf(path: string, { onRefused }: ScanOptions): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    if (onRefused === undefined || !isRefused(error)) throw error;
    onRefused(dirname(path));
    return undefined;
  }
}

/** Others get a turn after so many: a server's requests do not wait for its sweep longer than some milliseconds. */
const namesPerTurn = 64;

/** Names of the store below a folder of shards. What does not look like one is somebody else's and passed over. */
async function* namesBelow(
  directory: string,
  digestFunction: DigestFunction,
  options: ScanOptions,
): AsyncGenerator<StoredMember> {
  let seen = 0;
  for (const shard of namesIn(directory, options)) {
    if (!/^[0-9a-f]{2}$/.test(shard)) continue;
    for (const hash of namesIn(`${directory}/${shard}`, options)) {
      if (seen++ % namesPerTurn === 0) {
        options.signal?.throwIfAborted();
        await setImmediate();
      }
      if (!isHash(hash) || !hash.startsWith(shard)) continue;
      yield { digestFunction, hash, path: `${directory}/${shard}/${hash}` };
    }
  }
}

async function* filesBelow(
  directory: string,
  digestFunction: DigestFunction,
  options: ScanOptions,
): AsyncGenerator<StoredFile> {
  for await (const { hash, path } of namesBelow(directory, digestFunction, options)) {
    const stat = statOf(path, options);
    if (stat?.isFile() !== true) continue;
    const { size: sizeBytes, mtimeMs: modifiedMs, birthtimeMs } = stat;
    const createdMs = birthtimeMs > 0 ? Math.min(birthtimeMs, modifiedMs) : modifiedMs;
    yield { digestFunction, hash, path, sizeBytes, modifiedMs, createdMs };
  }
}

export async function* scanBlobs(
  layout: DiskLayout,
  options: ScanOptions = {},
): AsyncGenerator<StoredFile> {
  for (const digestFunction of digestFunctions) {
    yield* filesBelow(`${layout.blobs}/${digestFunction}`, digestFunction, options);
  }
}

export async function* scanEntries(
  layout: DiskLayout,
  options: ScanOptions = {},
): AsyncGenerator<StoredEntry> {
  for (const digestFunction of digestFunctions) {
    const directory = `${layout.entries}/${digestFunction}`;
    for (const namespace of namesIn(directory, options)) {
      for await (const file of filesBelow(`${directory}/${namespace}`, digestFunction, options)) {
        yield { ...file, namespace, id: entryId(digestFunction, namespace, file.hash) };
      }
    }
  }
}

/** A file of `members`: by its place, since it is empty. */
export interface StoredMember {
  readonly digestFunction: DigestFunction;
  readonly hash: string;
  readonly path: string;
}

export async function* scanMembers(
  layout: DiskLayout,
  options: ScanOptions = {},
): AsyncGenerator<StoredMember> {
  for (const digestFunction of digestFunctions) {
    const directory = `${layout.members}/${digestFunction}`;
    for (const namespace of namesIn(directory, options))
      yield* namesBelow(`${directory}/${namespace}`, digestFunction, options);
  }
}
