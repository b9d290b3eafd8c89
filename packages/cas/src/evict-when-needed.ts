import { readMemoFile } from "@cuenv/digest";
import { lstatSync } from "node:fs";
import { removeQuietly } from "./atomic-write.ts";
import type { CacheFolder } from "./cache-folder.ts";
import { evict, type Eviction, type EvictOptions, unreferencedGraceMs } from "./evict.ts";
import { evictionNeed } from "./eviction-need.ts";
import { isAbandoned, processIdentity } from "./process-identity.ts";

/** A sweep that takes longer has died (10 min). */
const lockStaleMs = 10 * 60 * 1000;
/** Above this limit a sweep makes some room, so that not every run has to sweep (256 MiB, a tenth). */
const slackFromBytes = 256 * 1024 * 1024;
const slackShare = 0.1;

/**
 * Evicts when the limits ask for it: called at the end of a run that stored something. The size is known without looking at the store, from the
 * last sweep and what was added since. Undefined: there was nothing to do, or another process is at it.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason.
 */
export async function evictWhenNeeded(
  options: Omit<EvictOptions, "graceMs">,
): Promise<Eviction | undefined> {
  const { folder, limits } = options;
  options.signal?.throwIfAborted();
  folder.assertWritable();
  folder.saveUses();
  const { isDue, isFull } = evictionNeed(folder, limits.maxBytes);
  if (!isDue && !isFull) return undefined;
  if (!takeLock(folder)) return undefined;
  try {
    return await evict({
      ...options,
      limits: withSlack(limits, isFull),
      graceMs: unreferencedGraceMs,
    });
  } finally {
    removeQuietly(folder.layout.sweepLock);
  }
}

function withSlack(limits: EvictOptions["limits"], isFull: boolean): EvictOptions["limits"] {
  const { maxBytes, maxAgeMs } = limits;
  if (!isFull || maxBytes === undefined || maxBytes < slackFromBytes) return limits;
  return { maxBytes: Math.floor(maxBytes * (1 - slackShare)), maxAgeMs };
}

/** Advice only: two sweeps at once cost time, nothing else. */
function takeLock(folder: CacheFolder): boolean {
  const path = folder.layout.sweepLock;
  if (writeLock(folder, path)) return true;
  const nowMs = folder.now();
  try {
    const { mtimeMs } = lstatSync(path);
    const isStale =
      Math.abs(nowMs - mtimeMs) > lockStaleMs || isAbandoned(ownerOf(path), mtimeMs, nowMs);
    if (!isStale) return false;
  } catch {
    // It went in this moment.
  }
  // What cannot be removed, a folder, goes out of the way: without a lock nothing would ever be evicted again.
  if (!removeQuietly(path)) folder.quarantine(path);
  return writeLock(folder, path);
}

/** No name of a process is longer (bytes). */
const maxOwnerBytes = 256;

/** "": nobody's, as what is no lock at all. */
function ownerOf(path: string): string {
  return readMemoFile(path, maxOwnerBytes)?.toString("latin1") ?? "";
}

/**
 * The lock appears with its owner's name in it: whoever is killed before leaves none, and who is killed after is known to be dead. False when
 * there is one. Where none can be made (a full disk, a file system without links) the sweep goes on without: it is what makes room.
 */
function writeLock(folder: CacheFolder, path: string): boolean {
  try {
    return folder.createFile(path, Buffer.from(processIdentity(), "latin1"));
  } catch {
    return true;
  }
}
