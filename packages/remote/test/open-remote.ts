import {
  type AccessPolicyOptions,
  createAccessPolicy,
  createCacheServer,
  hashToken,
} from "@cuenv/server";
import { createReapiServer } from "@cuenv/server/grpc";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRemoteCache, type OpenRemoteCacheOptions, type RemoteCache } from "../src/index.ts";
import { defaults } from "./open-cache.ts";

const token = "a-token-for-everything";

export interface RunningServer {
  /** `host:port` of gRPC. */
  readonly address: string;
  /** The cache folder. */
  readonly root: string;
  readonly troubles: string[];
  /** Paths of the calls that ended, in their order. */
  readonly calls: string[];
  readonly stop: () => Promise<void>;
}

/** `cuenv serve` over gRPC, in this process. */
export async function startServer(
  options: { readonly access?: AccessPolicyOptions; readonly maxBlobBytes?: number } = {},
): Promise<RunningServer> {
  const root = join(mkdtempSync(join(tmpdir(), "cuenv-remote-")), "cache");
  const everything = {
    name: "everything",
    sha256: hashToken(token),
    namespaces: "*",
    scopes: ["read", "write"],
  } as const;
  const troubles: string[] = [];
  const calls: string[] = [];
  const server = createCacheServer({
    root,
    digestFunction: "sha256",
    durability: "relaxed",
    limits: { maxBytes: undefined, maxAgeMs: undefined },
    evictionPolicy: "LRU",
    policy: createAccessPolicy(options.access ?? { grants: [everything] }),
    maxArtifactBytes: options.maxBlobBytes,
    createGrpc: createReapiServer,
    onRequest: ({ path }) => calls.push(path),
    onTrouble: (message) => troubles.push(message),
  });
  const { port = 0 } = (await server.grpc?.listen({ host: "127.0.0.1", port: 0 })) ?? {};
  await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    address: `127.0.0.1:${port}`,
    root,
    troubles,
    calls,
    stop: async () => {
      await server.close();
      rmSync(join(root, ".."), { recursive: true, force: true });
    },
  };
}

/** Our client at our server, over real sockets. */
export async function openRemote(
  options: Partial<OpenRemoteCacheOptions> & { readonly server?: RunningServer } = {},
): Promise<{
  readonly cache: RemoteCache;
  readonly server: RunningServer;
  readonly close: () => Promise<void>;
}> {
  const { server = await startServer(), ...rest } = options;
  const endpoint = `grpc://${server.address}`;
  const cache = openRemoteCache({ endpoint, ...defaults, timeoutMs: 10_000, ...rest });
  return {
    cache,
    server,
    close: async () => {
      cache.close();
      if (options.server === undefined) await server.stop();
    },
  };
}
