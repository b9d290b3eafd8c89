import { type Digest, hashFile, isAbsence } from "@cuenv/digest";
import { lstatSync, readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { removeQuietly } from "./atomic-write.ts";
import type { CacheFolder } from "./cache-folder.ts";
import type { EntryReferences } from "./evict.ts";
import { isAbandoned, isProcessIdentity } from "./process-identity.ts";
import { scanBlobs, scanEntries, type StoredEntry, type StoredFile } from "./scan-store.ts";
import { errorCode, storeUnavailable } from "./system-error.ts";
import { sweepAbandoned } from "./temporary-folder.ts";

/** What an entry is worth, as far as its own bytes say. */
export type EntryCheck = (
  entry: Uint8Array,
  stored: Pick<StoredEntry, "digestFunction" | "namespace" | "hash">,
) =>
  | { readonly kind: "sound" }
  /** untrusted: sound, but nobody will use it. */
  | { readonly kind: "damaged" | "untrusted"; readonly detail: string };

export interface VerifyOptions {
  readonly folder: CacheFolder;
  readonly references: EntryReferences;
  readonly check: EntryCheck;
  /** Moves damaged blobs to the quarantine, and removes damaged entries, entries whose blobs are gone, and abandoned temporary files. */
  readonly repair?: boolean;
  /** Told now and then how many files were checked, and how many bytes. */
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal;
}

export interface StoreProblem {
  /**
   * corruptBlob: other bytes than its name says. unreadable: the system could not read it. damagedEntry: not an entry, or not the one of its name.
   * danglingEntry: a sound entry of which a blob is gone or damaged; a miss. untrustedEntry: not signed by whom it would have to be; a miss.
   */
  readonly kind: "corruptBlob" | "unreadable" | "damagedEntry" | "danglingEntry" | "untrustedEntry";
  readonly path: string;
  readonly detail: string;
  readonly repaired: boolean;
}

export interface Verification {
  readonly blobs: number;
  readonly blobBytes: number;
  readonly entries: number;
  readonly problems: readonly StoreProblem[];
  /** What dead processes left in `tmp`: no damage. */
  readonly abandonedTemporaries: number;
}

interface Work extends VerifyOptions {
  readonly problems: StoreProblem[];
  /** `<function>/<hash>` → size, of sound blobs. */
  readonly sound: Map<string, number>;
  /** Folders that may not be looked into. What is in them is not known to be gone. */
  readonly refused: Set<string>;
}

const maxEntryBytes = 64 * 1024 * 1024;

/** An abort is heard only when others get a turn: they do after so many hashed bytes (16 MiB), some ten milliseconds. */
const bytesPerTurn = 16 * 1024 * 1024;
const filesPerReport = 64;

/**
 * Reads and hashes everything in the store. What other processes remove meanwhile is passed over.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason.
 */
export async function verifyStore(options: VerifyOptions): Promise<Verification> {
  const { folder, repair = false, signal } = options;
  const work: Work = { ...options, problems: [], sound: new Map(), refused: new Set() };
  const scan = { signal, onRefused: (path: string) => reportRefused(work, path) };
  try {
    if (repair) folder.assertWritable();
    else folder.assertReadable();
    let blobs = 0;
    let bytes = 0;
    let sinceTurn = 0;
    for await (const blob of scanBlobs(folder.layout, scan)) {
      if (verifyBlobFile(work, blob)) blobs += 1;
      bytes += blob.sizeBytes;
      sinceTurn += blob.sizeBytes;
      if (blobs % filesPerReport === 0) options.onProgress?.(blobs, bytes);
      if (sinceTurn < bytesPerTurn) continue;
      sinceTurn = 0;
      options.onProgress?.(blobs, bytes);
      await setImmediate();
      signal?.throwIfAborted();
    }
    let entries = 0;
    for await (const entry of scanEntries(folder.layout, scan)) {
      if (verifyEntry(work, entry)) entries += 1;
      bytes += entry.sizeBytes;
      if (entries % filesPerReport === 0) options.onProgress?.(blobs + entries, bytes);
    }
    const blobBytes = [...work.sound.values()].reduce((sum, size) => sum + size, 0);
    const abandonedTemporaries = countAbandoned(folder, repair);
    return { blobs, blobBytes, entries, problems: work.problems, abandonedTemporaries };
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw storeUnavailable(`verify ${folder.root}`, error, "CAS_STORE_UNAVAILABLE");
  }
}

function report(
  work: Work,
  kind: StoreProblem["kind"],
  path: string,
  detail: string,
  mend: () => void,
): void {
  if (work.repair === true) mend();
  const repaired = work.repair === true && lstatSync(path, { throwIfNoEntry: false }) === undefined;
  work.problems.push({ kind, path, detail, repaired });
}

function reportRefused(work: Work, path: string): void {
  if (work.refused.has(path)) return;
  work.refused.add(path);
  const detail = "its files are another user's, or its permissions were changed";
  work.problems.push({ kind: "unreadable", path, detail, repaired: false });
}

/** It says nothing about the file, which would be as unreadable if it were sound. */
const lacksMeans = new Set(["EMFILE", "ENFILE", "ENOMEM"]);

/** False when it went meanwhile. */
function verifyBlobFile(work: Work, blob: StoredFile): boolean {
  const { path, hash, digestFunction } = blob;
  let digest: Digest;
  try {
    ({ digest } = hashFile(digestFunction, path));
  } catch (error) {
    if (isAbsence(error)) return false;
    if (lacksMeans.has(errorCode(error) ?? "")) throw error;
    const mend = (): void => work.folder.quarantine(path);
    report(work, "unreadable", path, errorCode(error) ?? String(error), mend);
    return true;
  }
  if (digest.hash === hash) work.sound.set(`${digestFunction}/${hash}`, digest.sizeBytes);
  else {
    const mend = (): void => work.folder.quarantine(path);
    report(work, "corruptBlob", path, `its hash is ${digest.hash}`, mend);
  }
  return true;
}

function verifyEntry(work: Work, entry: StoredEntry): boolean {
  const { path, digestFunction } = entry;
  const mend = (): void => void removeQuietly(path);
  let bytes: Uint8Array | undefined;
  try {
    bytes = work.folder.readFile(path, maxEntryBytes);
  } catch (error) {
    if (lacksMeans.has(errorCode(error) ?? "")) throw error;
    report(work, "unreadable", path, errorCode(error) ?? String(error), mend);
    return true;
  }
  if (bytes === undefined) return false;
  const checked = work.check(bytes, entry);
  if (checked.kind !== "sound") {
    const kind = checked.kind === "damaged" ? "damagedEntry" : "untrustedEntry";
    report(work, kind, path, checked.detail, mend);
    return true;
  }
  const gone = (work.references(bytes) ?? []).filter(
    ({ hash, sizeBytes }) =>
      sizeBytes > 0 && work.sound.get(`${digestFunction}/${hash}`) !== sizeBytes,
  );
  // Stored after the blobs were looked at, it is there now.
  const missing = gone.filter(({ hash }) => !isNew(work, digestFunction, hash));
  if (missing.length > 0) {
    report(work, "danglingEntry", path, `${missing.length} of its blobs are gone or damaged`, mend);
  }
  return true;
}

function isNew(work: Work, digestFunction: string, hash: string): boolean {
  const path = `${work.folder.layout.blobs}/${digestFunction}/${hash.slice(0, 2)}/${hash}`;
  if ([...work.refused].some((folder) => path.startsWith(`${folder}/`))) return true;
  const isKnown = work.problems.some((problem) => problem.path === path);
  return !isKnown && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function countAbandoned(folder: CacheFolder, repair: boolean): number {
  const { temporary } = folder.layout;
  const now = folder.now();
  if (repair) return sweepAbandoned(temporary, now);
  let names: string[];
  try {
    names = readdirSync(temporary);
  } catch {
    return 0;
  }
  return names.filter(isProcessIdentity).filter((name) => {
    const stat = lstatSync(`${temporary}/${name}`, { throwIfNoEntry: false });
    return stat !== undefined && isAbandoned(name, stat.mtimeMs, now);
  }).length;
}
