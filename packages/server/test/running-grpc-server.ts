import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDiskActionStore } from "@cuenv/action-cache";
import {
  type BlobStore,
  createDiskBlobMembers,
  createDiskBlobStore,
  openCacheFolder,
} from "@cuenv/cas";
import { digestFunctions, type DigestFunction } from "@cuenv/digest";
import { type AccessPolicyOptions, createAccessPolicy } from "../src/access-policy.ts";
import {
  type AnsweredCall,
  createGrpcServer,
  type GrpcServerOptions,
} from "../src/grpc/grpc-server.ts";
import type { GrpcMethods } from "../src/grpc/grpc-method.ts";
import { createMetrics, type Metrics } from "../src/metrics.ts";
import { metricDefinitions } from "../src/metric-definitions.ts";
import { createReapiMethods } from "../src/reapi/reapi-methods.ts";
import { maxMessageBytes, type ReapiStores } from "../src/reapi/reapi-options.ts";
import { createReapiServices } from "../src/reapi/reapi-services.ts";
import { openGrpcClient, type GrpcClient } from "./grpc-client.ts";
import { grant, token } from "./running-server.ts";

export interface RunningGrpcServer {
  readonly address: string;
  readonly port: number;
  /** The cache folder. */
  readonly root: string;
  /** Knows the token for everything. */
  readonly client: GrpcClient;
  readonly metrics: Metrics;
  readonly troubles: string[];
  readonly calls: AnsweredCall[];
  readonly stores: ReadonlyMap<DigestFunction, ReapiStores>;
  /** The clock of what is remembered, ms. */
  readonly clock: { now: number };
  stop(): Promise<void>;
}

export async function startGrpcServer(
  options: {
    readonly access?: AccessPolicyOptions;
    readonly maxBlobBytes?: number;
    readonly wrapBlobs?: (blobs: BlobStore) => BlobStore;
    readonly tls?: GrpcServerOptions["tls"];
    readonly isReady?: () => boolean;
    readonly drainMs?: number;
    readonly wrapMethods?: (methods: GrpcMethods) => GrpcMethods;
  } = {},
): Promise<RunningGrpcServer> {
  const root = join(mkdtempSync(join(tmpdir(), "cuenv-grpc-")), "cache");
  const folder = openCacheFolder({ root });
  const { wrapBlobs = (same: BlobStore) => same } = options;
  const stores = new Map(
    digestFunctions.map((digestFunction) => {
      const place = { folder, digestFunction };
      const made: ReapiStores = {
        blobs: wrapBlobs(createDiskBlobStore(place)),
        members: createDiskBlobMembers(place),
        actions: createDiskActionStore(place),
      };
      return [digestFunction, made];
    }),
  );
  const metrics = createMetrics(metricDefinitions);
  const troubles: string[] = [];
  const calls: AnsweredCall[] = [];
  const clock = { now: Date.now() };
  const services = createReapiServices({
    stores,
    policy: createAccessPolicy(options.access ?? { grants: [grant(token, { namespaces: "*" })] }),
    metrics,
    maxBlobBytes: options.maxBlobBytes ?? 1024 ** 3,
    isReady: options.isReady ?? (() => true),
    now: () => clock.now,
    onTrouble: (message) => troubles.push(message),
  });
  const server = createGrpcServer({
    methods: (options.wrapMethods ?? ((same) => same))(createReapiMethods(services)),
    maxMessageBytes,
    tls: options.tls,
    onCall: (call) => calls.push(call),
    onTrouble: (message) => troubles.push(message),
    drainMs: options.drainMs ?? 1000,
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${port}`;
  const client = openGrpcClient(address, { token });
  return {
    address,
    port,
    root,
    client,
    metrics,
    troubles,
    calls,
    stores,
    clock,
    stop: async () => {
      client.close();
      services.uploads.close();
      await server.close();
      rmSync(join(root, ".."), { recursive: true, force: true });
    },
  };
}
