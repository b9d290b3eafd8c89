import { createDiskActionStore, entryReferences } from "@cuenv/action-cache";
import { createDiskBlobStore, type Durability, openCacheFolder } from "@cuenv/cas";
import { type EvictionPolicy, evictWhenNeeded } from "@cuenv/cas/maintenance";
import type { DigestFunction } from "@cuenv/digest";
import type { AccessPolicy } from "./access-policy.ts";
import { type ArtifactStore, createArtifactStore } from "./artifact-store.ts";
import { type AnsweredRequest, createHttpServer, type HttpServer } from "./http-server.ts";
import { createMetrics } from "./metrics.ts";
import { createOperationsFrontEnd, metricHelp } from "./operations-front-end.ts";
import { createProtocolFrontEnds } from "./protocol-front-ends.ts";
import type { TagPolicy } from "./turborepo/turborepo-front-end.ts";

/** No artifact is larger unless configured (2 GiB). */
export const defaultMaxArtifactBytes: number = 2 * 1024 ** 3;
/** How often a server that stored something looks whether it holds too much (ms). */
const evictionIntervalMs = 60_000;

export interface CacheServerOptions {
  /** The cache folder, absolute; made when it is not there. */
  readonly root: string;
  readonly digestFunction: DigestFunction;
  readonly durability: Durability;
  readonly limits: {
    readonly maxBytes: number | undefined;
    readonly maxAgeMs: number | undefined;
  };
  readonly evictionPolicy: EvictionPolicy;
  readonly policy: AccessPolicy;
  readonly maxArtifactBytes?: number | undefined;
  /** Keys of teams whose signatures are checked, by namespace. */
  readonly tags?: ReadonlyMap<string, TagPolicy> | undefined;
  readonly onRequest?: ((request: AnsweredRequest) => void) | undefined;
  /** Something that whoever runs the server should know: one line. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/**
 * The server over a cache folder on disk: every front end, and eviction beside them.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE when the folder cannot be used
 */
export function createCacheServer(options: CacheServerOptions): HttpServer {
  const { digestFunction, onTrouble, onRequest } = options;
  const folder = openCacheFolder({
    root: options.root,
    durability: options.durability,
    ...(onTrouble === undefined ? {} : { onWarning: onTrouble }),
  });
  folder.assertWritable();
  const stores = { folder, digestFunction };
  const metrics = createMetrics(metricHelp);
  let isDraining = false;
  let hasStored = false;
  const stop = new AbortController();
  const blobs = createDiskBlobStore(stores);
  const artifacts = createArtifactStore({
    blobs,
    actions: createDiskActionStore(stores),
    ...(onTrouble === undefined ? {} : { onDamage: onTrouble }),
  });
  const noted = (): void => void (hasStored = true);
  const shared = {
    artifacts: notingWrites(artifacts, noted),
    metrics,
    maxArtifactBytes: options.maxArtifactBytes ?? defaultMaxArtifactBytes,
    ...(onTrouble === undefined ? {} : { onTrouble }),
  };
  const server = createHttpServer({
    frontEnds: [
      createOperationsFrontEnd(metrics, () => !isDraining),
      ...createProtocolFrontEnds({
        ...shared,
        ...(options.tags === undefined ? {} : { tags: options.tags }),
      }),
    ],
    policy: options.policy,
    metrics,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
  const evictNow = async (): Promise<void> => {
    if (!hasStored) return;
    hasStored = false;
    const { limits, evictionPolicy: policy } = options;
    try {
      await evictWhenNeeded({
        folder,
        references: entryReferences,
        limits,
        policy,
        signal: stop.signal,
      });
    } catch (error) {
      if (!stop.signal.aborted) onTrouble?.(`cannot evict: ${String(error)}`);
    }
  };
  const timer = setInterval(() => void evictNow(), evictionIntervalMs);
  timer.unref();
  return {
    listen: (address) => server.listen(address),
    close: async () => {
      isDraining = true;
      clearInterval(timer);
      await server.close();
      await evictNow();
      stop.abort();
      folder.saveUses();
    },
  };
}

function notingWrites(artifacts: ArtifactStore, noted: () => void): ArtifactStore {
  return {
    ...artifacts,
    publish: async (...args) => {
      await artifacts.publish(...args);
      noted();
    },
    publishOnce: async (...args) => {
      const isStored = await artifacts.publishOnce(...args);
      noted();
      return isStored;
    },
  };
}
