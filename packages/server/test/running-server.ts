import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { createDiskActionStore } from "@cuenv/action-cache";
import { type BlobStore, createDiskBlobStore, openCacheFolder } from "@cuenv/cas";
import {
  type AccessPolicyOptions,
  createAccessPolicy,
  hashToken,
  type TokenGrant,
} from "../src/access-policy.ts";
import { createArtifactStore } from "../src/artifact-store.ts";
import { createProtocolFrontEnds } from "../src/protocol-front-ends.ts";
import { createHttpServer, type HttpLimits } from "../src/http-server.ts";
import { metricDefinitions } from "../src/metric-definitions.ts";
import { createMetrics, type Metrics } from "../src/metrics.ts";
import { createNxFrontEnd, type NxDeadlines } from "../src/nx/nx-front-end.ts";
import { createOperationsFrontEnd } from "../src/operations-front-end.ts";
import type { TurborepoOptions } from "../src/turborepo/turborepo-front-end.ts";

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The body as JSON. */
  readonly json: () => unknown;
}

export interface Ask {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface RunningServer {
  readonly url: string;
  readonly port: number;
  /** The cache folder. */
  readonly root: string;
  readonly blobs: BlobStore;
  readonly metrics: Metrics;
  readonly troubles: string[];
  /** One request, its path sent as it is. */
  ask(path: string, ask?: Ask): Promise<Answer>;
  stop(): Promise<void>;
}

export const token = "a-token-for-everything";

export async function startServer(
  options: Partial<Pick<TurborepoOptions, "maxArtifactBytes" | "tags">> & {
    readonly access?: AccessPolicyOptions;
    readonly wrapBlobs?: (blobs: BlobStore) => BlobStore;
    readonly nxDeadlines?: NxDeadlines;
    readonly limits?: Partial<HttpLimits>;
  } = {},
): Promise<RunningServer> {
  const root = join(mkdtempSync(join(tmpdir(), "cuenv-server-")), "cache");
  const folder = openCacheFolder({ root });
  const stores = { folder, digestFunction: "sha256" } as const;
  const blobs = (options.wrapBlobs ?? ((same) => same))(createDiskBlobStore(stores));
  const metrics = createMetrics(metricDefinitions);
  const troubles: string[] = [];
  const artifacts = createArtifactStore({
    blobs,
    actions: createDiskActionStore(stores),
    onDamage: (message) => troubles.push(message),
  });
  const everything = {
    name: "everything",
    sha256: hashToken(token),
    namespaces: "*",
    scopes: ["read", "write"],
  } as const;
  const shared = {
    artifacts,
    metrics,
    maxArtifactBytes: options.maxArtifactBytes ?? 1024 ** 3,
    onTrouble: (message: string) => troubles.push(message),
  };
  const server = createHttpServer({
    frontEnds: [
      createOperationsFrontEnd(metrics, () => true),
      ...(options.nxDeadlines === undefined ? [] : [createNxFrontEnd(shared, options.nxDeadlines)]),
      ...createProtocolFrontEnds({
        ...shared,
        ...(options.tags === undefined ? {} : { tags: options.tags }),
      }),
    ],
    policy: createAccessPolicy(options.access ?? { grants: [everything] }),
    metrics,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    root,
    blobs,
    metrics,
    troubles,
    ask: (path, ask = {}) => send(port, path, ask),
    stop: async () => {
      await server.close();
      rmSync(join(root, ".."), { recursive: true, force: true });
    },
  };
}

/** A token that is its own name, to read and write the namespace `main` unless told otherwise. */
export function grant(name: string, more: Partial<TokenGrant> = {}): TokenGrant {
  const scopes = ["read", "write"] as const;
  return { name, sha256: hashToken(name), namespaces: ["main"], scopes, ...more };
}

/** A store that can be told to fail, as a full or dying disk does. */
export function breakableStore(): {
  isBroken: boolean;
  /** What the system says: EIO unless told otherwise. */
  cause: Error;
  readonly wrapBlobs: (blobs: BlobStore) => BlobStore;
} {
  const fail = (): never => {
    const { cause } = store;
    throw new CuenvError("CAS_STORE_UNAVAILABLE", cause.message, { cause });
  };
  const store = {
    isBroken: false,
    cause: Object.assign(new Error("EIO"), { code: "EIO" }) as Error,
    wrapBlobs: (blobs: BlobStore): BlobStore => ({
      ...blobs,
      missing: (...args) => (store.isBroken ? fail() : blobs.missing(...args)),
      write: (...args) => (store.isBroken ? fail() : blobs.write(...args)),
      ingest: (...args) => (store.isBroken ? fail() : blobs.ingest(...args)),
    }),
  };
  return store;
}

/** A store that notes how often it is asked for blobs before anybody else of the process gets a turn, at the most. */
export function countingStore(): {
  atAStretch: number;
  readonly wrapBlobs: (blobs: BlobStore) => BlobStore;
} {
  let asked = 0;
  const count = (): void => {
    if (asked === 0) setImmediate(() => void (asked = 0));
    asked += 1;
    store.atAStretch = Math.max(store.atAStretch, asked);
  };
  const store = {
    atAStretch: 0,
    wrapBlobs: (blobs: BlobStore): BlobStore => ({
      ...blobs,
      missing: (...args) => {
        count();
        return blobs.missing(...args);
      },
      readSync: (...args) => {
        count();
        return blobs.readSync?.(...args);
      },
    }),
  };
  return store;
}

/** Another byte in the middle of every blob that the server has, as a bad disk makes it. */
export function damageBlobs({ root }: Pick<RunningServer, "root">): void {
  const blobs = join(root, "v1", "cas", "sha256");
  for (const entry of readdirSync(blobs, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const middle = Math.floor(bytes.length / 2);
    bytes.writeUInt8(bytes.readUInt8(middle) ^ 0xff, middle);
    writeFileSync(path, bytes);
  }
}

function send(port: number, path: string, ask: Ask): Promise<Answer> {
  const { method = "GET", body, headers = {} } = ask;
  const sent = "token" in ask ? ask.token : token;
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path,
      method,
      agent: false,
      headers: {
        ...(sent === undefined ? {} : { authorization: `Bearer ${sent}` }),
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
        ...headers,
      },
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const whole = Buffer.concat(chunks);
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: whole,
          json: () => JSON.parse(whole.toString("utf8")) as unknown,
        });
      });
    });
    outgoing.end(body);
  });
}
