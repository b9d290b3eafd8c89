import type { Digest } from "@cuenv/digest";
import { lstatSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import { removeQuietly } from "./atomic-write.ts";
import type { CacheFolder } from "./cache-folder.ts";
import type { EntryId } from "./disk-layout.ts";
import { type EvictionPolicy, type EvictionUnit, inEvictionOrder } from "./eviction-order.ts";
import { pruneMembers } from "./prune-members.ts";
import { scanBlobs, scanEntries, type StoredEntry, type StoredFile } from "./scan-store.ts";
import { storeUnavailable } from "./system-error.ts";
import { foldJournal, readUsage, type UsageTable } from "./usage-journal.ts";

/** The blobs that an entry names; undefined when it cannot be read. The store knows nothing else of entries. */
export type EntryReferences = (entry: Uint8Array) => readonly Digest[] | undefined;

export interface EvictionLimits {
  /** Sum of the sizes of all blobs and entries. */
  readonly maxBytes: number | undefined;
  /** What was not used for so long goes. */
  readonly maxAgeMs: number | undefined;
}

export interface EvictOptions {
  readonly folder: CacheFolder;
  readonly references: EntryReferences;
  readonly limits: EvictionLimits;
  readonly policy: EvictionPolicy;
  /**
   * Blobs that no entry names and that are younger are left alone: a task that is running stored them, and its entry comes. Default 0,
   * for somebody who asked for it; {@link unreferencedGraceMs} for eviction that nobody asked for.
   */
  readonly graceMs?: number;
  /** Told now and then how many files are gone, and how many bytes. */
  readonly onProgress?: ((files: number, bytes: number) => void) | undefined;
  readonly signal?: AbortSignal;
}

/** 1 h, twice the interval at which uses of blobs are noted, so that a blob that was found in use stays. */
export const unreferencedGraceMs: number = 60 * 60 * 1000;

/** What other processes removed meanwhile is theirs to count. */
export interface Eviction {
  readonly removedEntries: number;
  readonly removedBlobs: number;
  readonly removedBytes: number;
  /** What is left. */
  readonly entries: number;
  readonly blobs: number;
  readonly bytes: number;
  /** In the order in which they went. */
  readonly victims: readonly EntryId[];
}

/** An abort is heard only when others get a turn: they do after so many removed files, a few milliseconds. */
const filesPerTurn = 64;

/** No entry is larger, see @cuenv/action-cache. */
const maxEntryBytes = 64 * 1024 * 1024;

interface Unit extends EvictionUnit {
  readonly entry: StoredEntry | undefined;
  /** Present blobs that the entry names, or the one blob. */
  readonly blobs: readonly StoredFile[];
}

interface Store {
  readonly entries: readonly Unit[];
  readonly loose: readonly Unit[];
  /** How many entries name a blob, by path. */
  readonly references: Map<string, number>;
  readonly bytes: number;
  readonly blobs: number;
}

interface Sweep extends Store {
  readonly removed: Set<Unit>;
  readonly victims: EntryId[];
  readonly onProgress: EvictOptions["onProgress"];
  removedEntries: number;
  removedBlobs: number;
  removedBytes: number;
  /** Blobs and bytes that are gone, whoever removed them. */
  goneBlobs: number;
  goneBytes: number;
  /** Files that were tried to remove, for `filesPerTurn`. */
  tried: number;
}

/**
 * One sweep: everything that was unused for too long goes, then in the order of the policy whatever is too much. An entry goes before the blobs that
 * only it named, so that no entry is left that promises blobs that are gone; what other entries name stays until they go. Any number of processes may store,
 * restore, evict and clear meanwhile: what vanishes is passed over, and who loses a blob has a miss. An abort ends it between two files: what is
 * gone is gone in the right order, and the next sweep, which the size that was not noted calls for, does the rest.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the signal's reason.
 */
export async function evict(options: EvictOptions): Promise<Eviction> {
  const { folder, limits, policy, signal } = options;
  try {
    folder.assertWritable();
    folder.saveUses();
    const store = await look(options, readUsage(folder.layout));
    const now = folder.now();
    const units = [...store.entries, ...store.loose];
    const isOld = (unit: Unit): boolean =>
      limits.maxAgeMs !== undefined && now - unit.lastUsedMs > limits.maxAgeMs;
    // By distance: a time in the future is a clock that was set back.
    const isSpared = (unit: Unit): boolean =>
      unit.entry === undefined && Math.abs(now - unit.lastUsedMs) < (options.graceMs ?? 0);
    const sweep: Sweep = {
      ...store,
      removed: new Set(),
      victims: [],
      onProgress: options.onProgress,
      removedEntries: 0,
      removedBlobs: 0,
      removedBytes: 0,
      goneBlobs: 0,
      goneBytes: 0,
      tried: 0,
    };
    const old = units.filter((unit) => isOld(unit) && !isSpared(unit));
    for await (const unit of inEvictionOrder(policy, old)) await remove(sweep, unit, signal);
    const isFull = (): boolean =>
      limits.maxBytes !== undefined && sweep.bytes - sweep.goneBytes > limits.maxBytes;
    if (isFull()) {
      const others = units.filter((unit) => !sweep.removed.has(unit) && !isSpared(unit));
      // What is above the limit alone cannot stay: in its turn, the last, it would have had all the others go.
      const isTooLarge = ({ sizeBytes }: Unit): boolean => sizeBytes > (limits.maxBytes ?? 0);
      for await (const unit of inEvictionOrder(policy, others.filter(isTooLarge)))
        await remove(sweep, unit, signal);
      const rest = others.filter((unit) => !isTooLarge(unit));
      for await (const unit of inEvictionOrder(policy, rest)) {
        if (!isFull()) break;
        await remove(sweep, unit, signal);
      }
    }
    await pruneMembers(folder.layout, { signal, onRefused: passOver });
    return finish(folder, sweep);
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw storeUnavailable(`evict from ${folder.root}`, error, "CAS_STORE_UNAVAILABLE");
  }
}

/** What a run as root left, say. One such folder among the others must not keep all of them from being evicted, for ever and unsaid. */
function passOver(): void {}

async function look(options: EvictOptions, usage: UsageTable): Promise<Store> {
  const { folder, signal } = options;
  const scan = { signal, onRefused: passOver };
  const blobs = new Map<string, StoredFile>();
  let bytes = 0;
  for await (const blob of scanBlobs(folder.layout, scan)) {
    blobs.set(`${blob.digestFunction}/${blob.hash}`, blob);
    bytes += blob.sizeBytes;
  }
  const references = new Map<string, number>();
  const entries: Unit[] = [];
  for await (const entry of scanEntries(folder.layout, scan)) {
    const named = presentBlobs(options, entry, blobs);
    for (const { path } of named) references.set(path, (references.get(path) ?? 0) + 1);
    entries.push(entryUnit(entry, named, usage));
    bytes += entry.sizeBytes;
  }
  const loose = [...blobs].flatMap(([name, blob]) =>
    references.has(blob.path) ? [] : [looseUnit(name, blob)],
  );
  return { entries, loose, references, bytes, blobs: blobs.size };
}

function presentBlobs(
  { folder, references }: EvictOptions,
  entry: StoredEntry,
  blobs: ReadonlyMap<string, StoredFile>,
): StoredFile[] {
  let bytes: Uint8Array | undefined;
  try {
    bytes = folder.readFile(entry.path, maxEntryBytes);
  } catch {
    // Unreadable: it goes in its turn, like any other.
  }
  const digests = (bytes && references(bytes)) ?? [];
  const names = new Set(digests.map(({ hash }) => `${entry.digestFunction}/${hash}`));
  return [...names].flatMap((name) => blobs.get(name) ?? []);
}

function entryUnit(entry: StoredEntry, blobs: readonly StoredFile[], usage: UsageTable): Unit {
  const use = usage.entries.get(entry.id);
  return {
    name: entry.id,
    storedMs: use?.storedMs ?? entry.modifiedMs,
    lastUsedMs: use?.lastUsedMs ?? entry.modifiedMs,
    useCount: use?.count ?? 0,
    sizeBytes: blobs.reduce((sum, blob) => sum + blob.sizeBytes, entry.sizeBytes),
    entry,
    blobs,
  };
}

function looseUnit(name: string, blob: StoredFile): Unit {
  return {
    name,
    storedMs: blob.createdMs,
    lastUsedMs: blob.modifiedMs,
    useCount: 0,
    sizeBytes: blob.sizeBytes,
    entry: undefined,
    blobs: [blob],
  };
}

/** gone: not by us. */
function removeFile(path: string): "removed" | "gone" | "there" {
  if (removeQuietly(path)) return "removed";
  return lstatSync(path, { throwIfNoEntry: false }) === undefined ? "gone" : "there";
}

/** An entry that cannot be removed keeps its blobs. */
async function remove(sweep: Sweep, unit: Unit, signal: AbortSignal | undefined): Promise<void> {
  await nextFile(sweep, signal);
  if (unit.entry !== undefined) {
    const { path, sizeBytes } = unit.entry;
    const now = removeFile(path);
    if (now === "there") return;
    sweep.goneBytes += sizeBytes;
    if (now === "removed") {
      sweep.removedEntries += 1;
      sweep.removedBytes += sizeBytes;
    }
  }
  sweep.removed.add(unit);
  sweep.victims.push(unit.name);
  for (const { path, sizeBytes } of unit.blobs) {
    const others = (sweep.references.get(path) ?? 1) - 1;
    sweep.references.set(path, others);
    if (others > 0) continue;
    await nextFile(sweep, signal);
    const now = removeFile(path);
    if (now === "there") continue;
    sweep.goneBlobs += 1;
    sweep.goneBytes += sizeBytes;
    if (now === "gone") continue;
    sweep.removedBlobs += 1;
    sweep.removedBytes += sizeBytes;
  }
}

async function nextFile(sweep: Sweep, signal: AbortSignal | undefined): Promise<void> {
  sweep.tried += 1;
  if (sweep.tried % filesPerTurn === 0) {
    sweep.onProgress?.(sweep.removedEntries + sweep.removedBlobs, sweep.removedBytes);
    await setImmediate();
  }
  signal?.throwIfAborted();
}

/** The index is written anew: without what went, and with the true size. */
function finish(folder: CacheFolder, sweep: Sweep): Eviction {
  const left = sweep.entries.filter((unit) => !sweep.removed.has(unit));
  const bytes = sweep.bytes - sweep.goneBytes;
  const names = new Set(left.map(({ name }) => name));
  const writeIndex = (text: string): void =>
    folder.writeFile(folder.layout.index, Buffer.from(text));
  foldJournal(folder.layout, writeIndex, (table) => ({
    sweptMs: folder.now(),
    totalBytes: bytes,
    entries: new Map([...table.entries].filter(([id]) => names.has(id))),
  }));
  return {
    removedEntries: sweep.removedEntries,
    removedBlobs: sweep.removedBlobs,
    removedBytes: sweep.removedBytes,
    entries: left.length,
    blobs: sweep.blobs - sweep.goneBlobs,
    bytes,
    victims: sweep.victims,
  };
}
