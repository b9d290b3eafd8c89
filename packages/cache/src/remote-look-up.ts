import {
  type ActionStore,
  createActionCache,
  createMemoryActionStore,
  type Lookup,
  maxEntryBytes,
  referencedDigests,
  type TaskResult,
} from "@cuenv/action-cache";
import { type BlobStore, createMemoryBlobStore, createTieredBlobStore } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import type { CacheEngine } from "./cache-engine.ts";
import type { ComputedKey } from "./compute-key.ts";
import { fetchBlobs } from "./fetch-blobs.ts";
import { lookUp, type LookUp } from "./look-up.ts";
import { remoteTrouble } from "./remote-trouble.ts";
import type { RemoteTier } from "./remote-tier.ts";
import type { TaskRequest } from "./task-request.ts";

/** What a run that writes nothing to disk keeps of fetched blobs (256 MiB); what does not fit is read from the remote cache when it is restored. */
const maxReadOnlyBytes = 256 * 1024 * 1024;

/**
 * Finds a result in the remote cache that is not on this machine: its entry is verified as a local one is, its blobs are fetched, then the entry is stored
 * (so that an entry never comes before its blobs), and it is restored from here. Undefined: there is none, or it could not be had, which changes nothing.
 */
export async function remoteLookUp(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<LookUp | undefined> {
  const { remote } = engine;
  const tier = await readableTier(engine);
  if (remote === undefined || tier === undefined) return undefined;
  const started = process.uptime() * 1000;
  const { name: task } = request.task;
  const told = (outcome: "hit" | "miss" | "failed"): void => {
    const durationMs = process.uptime() * 1000 - started;
    engine.emit({ type: "remoteLookup", task, key: key.digest.hash, outcome, durationMs });
  };
  try {
    const found = await find(engine, request, key, tier);
    told(found?.kind === "hit" ? "hit" : "miss");
    if (found?.kind === "hit") remote.misses.hit();
    else if (remote.misses.missed(started, process.uptime() * 1000)) {
      tier.tooSlow();
      engine.emit(remoteTrouble(remote, slowToMiss));
    }
    return found;
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    told("failed");
    engine.emit(remoteTrouble(remote, error));
    return undefined;
  }
}

const slowToMiss = "it took too long to say that it has nothing; it is not asked for a while";

async function readableTier({ remote }: CacheEngine): Promise<RemoteTier | undefined> {
  if (remote?.reads !== true) return undefined;
  const tier = await remote.tier();
  return tier?.isUsable("read") === true ? tier : undefined;
}

/**
 * For who only looks: the result that {@link remoteLookUp} would find, or why it would not use it; nothing is fetched, told or stored. Undefined: there is
 * none, or it cannot be asked, which is told.
 */
export async function remoteResult(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
): Promise<
  | {
      readonly kind: "hit";
      readonly result: TaskResult;
      readonly tier: string;
      readonly blobs: BlobStore;
    }
  | (Lookup & { readonly kind: "miss" })
  | undefined
> {
  const { remote, settings } = engine;
  const tier = await readableTier(engine);
  if (remote === undefined || tier === undefined) return undefined;
  try {
    const named = { digest: key.digest, namespace: settings.namespace };
    const entry = await tier.actions.get(named, request.signal);
    if (entry === undefined) return undefined;
    const here = await withEntry(engine, key, entry);
    const looked = await here.actions.get(key.digest, ageLimit(request));
    if (looked.kind === "miss") return looked;
    return { ...looked, tier: remote.name, blobs: tier.blobs };
  } catch (error) {
    if (request.signal?.aborted === true) throw error;
    engine.emit(remoteTrouble(remote, error));
    return undefined;
  }
}

function ageLimit({ task }: TaskRequest): { readonly maxAgeMs?: number } {
  const { maxAgeMs } = task.cache;
  return maxAgeMs === undefined ? {} : { maxAgeMs };
}

async function find(
  engine: CacheEngine,
  request: TaskRequest,
  key: ComputedKey,
  tier: RemoteTier,
): Promise<LookUp | undefined> {
  const { namespace } = engine.settings;
  const entry = await tier.actions.get({ digest: key.digest, namespace }, request.signal);
  if (entry === undefined) return undefined;
  const here = await withEntry(engine, key, entry);
  const looked = await here.actions.get(key.digest, ageLimit(request));
  // Judged, told and counted by the look-up itself.
  if (looked.kind === "miss") return lookUp(here, request, key);
  const { remote } = engine;
  const leaves = await mayLeaveOutputs(engine, request, looked.result);
  const blobs = await fetched(engine, request, looked.result, { tier, leaves });
  // One whose blobs are not all here is none of this machine's.
  if (blobs === engine.blobs && !leaves) {
    await engine.blobs.flush?.(request.signal);
    await engine.actions.actions.put({ digest: key.digest, namespace }, entry, request.signal);
  }
  const tierName = remote?.name ?? here.tier;
  return lookUp({ ...here, blobs, tier: tierName }, request, key, leaves ? "leave" : "restore");
}

/** Whether outputs may stay where they are, and any of them would have to be fetched. */
async function mayLeaveOutputs(
  { blobs }: CacheEngine,
  { download, signal }: TaskRequest,
  { outputs }: TaskResult,
): Promise<boolean> {
  if (download !== "whenNeeded") return false;
  const files = outputs.flatMap((entry) => (entry.kind === "file" ? [entry.digest] : []));
  return (await blobs.missing(files, signal)).length > 0;
}

function streamDigests({ stdout, stderr }: TaskResult): readonly Digest[] {
  return [stdout, stderr].filter((digest) => digest !== null);
}

/** The engine as it would be if its action cache had this entry, too. */
async function withEntry(
  engine: CacheEngine,
  key: ComputedKey,
  entry: Uint8Array,
): Promise<CacheEngine> {
  const { digestFunction, namespace } = engine.settings;
  const memory = createMemoryActionStore({ digestFunction, maxBytes: maxEntryBytes });
  await memory.put({ digest: key.digest, namespace }, entry);
  const { blobs, now, verify } = engine;
  // Of the others the last result of the task is asked for: whether its outputs are as that left them.
  const actions: ActionStore = {
    ...memory,
    get: (asked, signal) => {
      const store = asked.digest.hash === key.digest.hash ? memory : engine.actions.actions;
      return store.get(asked, signal);
    },
  };
  return { ...engine, actions: createActionCache({ actions, blobs, namespace, now, verify }) };
}

/** Where the blobs of a result can be read from, all of which are here then, or in the remote cache where nothing may be written here. */
async function fetched(
  engine: CacheEngine,
  request: TaskRequest,
  result: TaskResult,
  { tier, leaves }: { readonly tier: RemoteTier; readonly leaves: boolean },
): Promise<BlobStore> {
  const digests = leaves ? streamDigests(result) : referencedDigests(result);
  const digestFunction = engine.settings.digestFunction;
  const memory = (): BlobStore =>
    createMemoryBlobStore({ digestFunction, maxBytes: maxReadOnlyBytes });
  const target = engine.folder.readOnly ? memory() : engine.blobs;
  const counts = await fetchBlobs({
    digests: await engine.blobs.missing(digests),
    tier,
    to: target,
    // A result that takes longer to come than its task took to run is none: then it is made here.
    withinMs: (engine.remote?.timeoutMs ?? 0) + result.durationMs,
    signal: request.signal,
    late: "a result took longer to come than its task to run",
  });
  if (counts.blobs > 0) engine.emit({ type: "fetched", task: request.task.name, ...counts });
  if (!engine.folder.readOnly) return engine.blobs;
  // What a later tier has is written back to those before it; to the disk it must not be.
  const here = { ...engine.blobs, write: () => Promise.resolve() };
  return createTieredBlobStore({ tiers: [target, here, tier.blobs] });
}
