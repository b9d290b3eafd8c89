import {
  type DecodedEntry,
  decodeEntryByHash,
  maxEntryBytes,
  type TaskResult,
} from "@cuenv/action-cache";
import { type CacheFolder, createDiskBlobStore, entryPath, openCacheFolder } from "@cuenv/cas";
import type { CacheSettings } from "@cuenv/config";
import { isHash } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import type { KeyInputs } from "@cuenv/key";
import { readdirSync } from "node:fs";
import { dirname } from "node:path";
import { readBlob } from "./read-blob.ts";
import type { StoredTrust } from "./stored-trust.ts";

export interface StoredResultOptions {
  readonly settings: CacheSettings;
  readonly trust: StoredTrust;
  /** The key of a stored result, or its first digits, 8 or more. */
  readonly key: string;
}

export interface StoredResult {
  /** The whole key. */
  readonly key: string;
  readonly result: TaskResult;
  /** What the key was made of; undefined when nothing was recorded. */
  readonly keyInputs: KeyInputs | undefined;
}

const maxKeyInputsBytes = 64 * 1024 * 1024;

/**
 * A stored result that would be used here, and what its key was made of.
 * @throws {CuenvError} USAGE when there is none, or it is not trusted; CAS_STORE_UNAVAILABLE, CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT
 */
export async function readStoredResult(options: StoredResultOptions): Promise<StoredResult> {
  const { settings, trust } = options;
  const folder = openCacheFolder({ root: settings.cacheDir, readOnly: true });
  folder.assertReadable();
  const key = wholeKey(folder, settings, options.key);
  const { result } = readEntry(folder, settings, trust, key);
  if (result.keyInputs === null) return { key, result, keyInputs: undefined };
  const { digestFunction } = settings;
  const blobs = createDiskBlobStore({ folder, digestFunction });
  const bytes = await readBlob(blobs, result.keyInputs, maxKeyInputsBytes);
  // Written by cuenv: its digest is in what was signed.
  return { key, result, keyInputs: JSON.parse(Buffer.from(bytes).toString()) as KeyInputs };
}

function pathOf(folder: CacheFolder, settings: CacheSettings, hash: string): string {
  return entryPath(folder.root, settings.digestFunction, settings.namespace, hash);
}

const whereKeysAre =
  "cuenv task NAME -v shows the keys of tasks; the first 8 digits of one will do.";

function wholeKey(folder: CacheFolder, settings: CacheSettings, key: string): string {
  if (isHash(key)) return key;
  if (!/^[0-9a-f]{8,63}$/.test(key)) {
    throw new CuenvError("USAGE", `cannot find the result of "${key}": it is no key`, {
      hint: whereKeysAre,
    });
  }
  const [found, another] = namesIn(dirname(pathOf(folder, settings, key))).filter(
    (name) => isHash(name) && name.startsWith(key),
  );
  if (found !== undefined && another === undefined) return found;
  const [reason, hint] =
    found === undefined
      ? [`there is no result under it in ${folder.root}`, whereKeysAre]
      : ["several keys begin so", "Give more of its digits."];
  throw new CuenvError("USAGE", `cannot find the result of ${key}: ${reason}`, { hint });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function readEntry(
  folder: CacheFolder,
  settings: CacheSettings,
  { verify }: StoredTrust,
  hash: string,
): DecodedEntry {
  const bytes = folder.readFile(pathOf(folder, settings, hash), maxEntryBytes);
  const cannot = (reason: string, hint?: string): CuenvError =>
    new CuenvError(
      "USAGE",
      `cannot use the result of ${hash}: ${reason}`,
      hint === undefined ? {} : { hint },
    );
  if (bytes === undefined)
    throw cannot(`there is no result under it in ${folder.root}`, whereKeysAre);
  const { digestFunction, namespace } = settings;
  const asked = { digest: { hash, sizeBytes: 0 }, namespace, digestFunction };
  const entry = decodeEntryByHash(bytes, asked, verify);
  if (entry.kind === "entry") return entry;
  throw cannot(entry.detail);
}
