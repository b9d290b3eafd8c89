import { type BlobStore, type CacheFolder, type Durability, openCacheFolder } from "@cuenv/cas";
import type { EvictionPolicy } from "@cuenv/cas/maintenance";
import type { DigestFunction } from "@cuenv/digest";
import type { AccessPolicy } from "./access-policy.ts";
import type { ArtifactRemote } from "./artifact-remote.ts";
import type { ArtifactTrust } from "./artifact-trust.ts";
import { type AnsweredRequest, createHttpServer, type HttpServer } from "./http-server.ts";
import { startEvictionTimer } from "./eviction-timer.ts";
import type { GrpcServer } from "./grpc/grpc-server.ts";
import { measureProcess } from "./measure-process.ts";
import { metricDefinitions } from "./metric-definitions.ts";
import { createMetrics, type Metrics } from "./metrics.ts";
import { createOperationsFrontEnd } from "./operations-front-end.ts";
import { openArtifacts } from "./open-artifacts.ts";
import { createProtocolFrontEnds } from "./protocol-front-ends.ts";
import type { TlsMaterial } from "./tls-material.ts";
import type { TagPolicy } from "./turborepo/turborepo-front-end.ts";

/** No artifact is larger unless configured (2 GiB). */
export const defaultMaxArtifactBytes: number = 2 * 1024 ** 3;

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
  /** Undefined: nothing is encrypted. */
  readonly tls?: TlsMaterial | undefined;
  /** `createReapiServer` of `@cuenv/server/grpc`, where gRPC is served, too: whoever serves HTTP alone does not load it. */
  readonly createGrpc?: ((shared: SharedWithGrpc) => GrpcServer) | undefined;
  readonly maxArtifactBytes?: number | undefined;
  /** Artifacts are signed as they come in, and served when their signature is accepted. Undefined: clients are believed. */
  readonly trust?: ArtifactTrust | undefined;
  /** A cache behind this one for artifacts: those that are not here are looked for there, and those that come in are sent there. */
  readonly openRemote?: ((blobs: BlobStore) => ArtifactRemote) | undefined;
  /** Nothing is written to the folder, fetched artifacts neither. */
  readonly isReadOnly?: boolean | undefined;
  /** Keys of teams whose signatures are checked, by namespace. */
  readonly tags?: ReadonlyMap<string, TagPolicy> | undefined;
  readonly onRequest?: ((request: AnsweredRequest) => void) | undefined;
  /** Something that whoever runs the server should know: one line. */
  readonly onTrouble?: ((message: string) => void) | undefined;
}

/** What the gRPC side of a server has in common with its HTTP side. */
export interface SharedWithGrpc {
  readonly folder: CacheFolder;
  readonly policy: AccessPolicy;
  readonly metrics: Metrics;
  readonly tls: TlsMaterial | undefined;
  readonly maxBlobBytes: number;
  readonly isReady: () => boolean;
  /** To be told that something was stored. */
  readonly onStored: () => void;
  readonly onRequest: ((request: AnsweredRequest) => void) | undefined;
  readonly onTrouble: ((message: string) => void) | undefined;
}

export interface CacheServer extends HttpServer {
  /** Undefined where it is not served. Closed with the HTTP side. */
  readonly grpc: Pick<GrpcServer, "listen"> | undefined;
}

/**
 * The server over a cache folder on disk: every front end, and eviction beside them.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE when the folder cannot be used
 */
export function createCacheServer(options: CacheServerOptions): CacheServer {
  const { onTrouble, onRequest } = options;
  const folder = openCacheFolder({
    root: options.root,
    durability: options.durability,
    ...(onTrouble === undefined ? {} : { onWarning: onTrouble }),
  });
  folder.assertWritable();
  const { limits, evictionPolicy } = options;
  const metrics = createMetrics(metricDefinitions);
  measureProcess(metrics);
  const policyOfEviction = { limits, policy: evictionPolicy };
  const eviction = startEvictionTimer({ folder, ...policyOfEviction, metrics, onTrouble });
  const { artifacts, remote } = openArtifacts(options, folder, metrics, eviction.noteStored);
  let isDraining = false;
  const isReady = (): boolean => !isDraining;
  const maxBlobBytes = options.maxArtifactBytes ?? defaultMaxArtifactBytes;
  const { policy, tls } = options;
  const server = createHttpServer({
    frontEnds: [
      createOperationsFrontEnd(metrics, isReady),
      ...createProtocolFrontEnds({
        artifacts,
        metrics,
        maxArtifactBytes: maxBlobBytes,
        ...(options.tags === undefined ? {} : { tags: options.tags }),
        ...(onTrouble === undefined ? {} : { onTrouble }),
      }),
    ],
    policy,
    metrics,
    tls,
    ...(onRequest === undefined ? {} : { onRequest }),
  });
  const onStored = eviction.noteStored;
  const shared = { folder, policy, metrics, tls, maxBlobBytes, isReady, onStored };
  const grpc = options.createGrpc?.({ ...shared, onRequest, onTrouble });
  return {
    listen: (address) => server.listen(address),
    renewTls: (material) => {
      server.renewTls(material);
      grpc?.renewTls(material);
    },
    grpc,
    close: async () => {
      isDraining = true;
      await Promise.all([server.close(), grpc?.close()]);
      await remote?.close();
      await eviction.stop();
      folder.saveUses();
    },
  };
}
