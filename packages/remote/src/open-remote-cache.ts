import { create, toBinary } from "@bufbuild/protobuf";
import type { ActionStore } from "@cuenv/action-cache";
import type { BlobStore } from "@cuenv/cas";
import type { DigestFunction } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { RequestMetadataSchema } from "@cuenv/reapi/messages";
import { randomUUID } from "node:crypto";
import { endpointName, isLoopback, parseEndpoint } from "./endpoint.ts";
import { openGrpcChannel, type RemoteTls } from "./grpc-channel.ts";
import { instanceNameOf } from "./instance-name.ts";
import { mayUse } from "./may-use.ts";
import { createRemoteActionStore } from "./remote-action-store.ts";
import { createRemoteBlobStore } from "./remote-blob-store.ts";
import { createTold } from "./remote-error.ts";
import { type Access, createRemoteConnection } from "./remote-connection.ts";

export interface OpenRemoteCacheOptions {
  /** `grpc://host:port` or `grpcs://host:port`. */
  readonly endpoint: string;
  readonly digestFunction: DigestFunction;
  /** Of the blobs. Results are in the namespace of their key. */
  readonly namespace: string;
  /** Sent as `authorization: Bearer …`, and nowhere else. */
  readonly token?: string | undefined;
  readonly tls?: RemoteTls | undefined;
  /** A call takes no longer, and no transfer stands still for longer (ms). */
  readonly timeoutMs: number;
  /** Calls at once. */
  readonly maxConcurrent: number;
  /** False: nothing is compressed. Default: compressed, except to this machine itself. */
  readonly compression?: boolean | undefined;
  /** Of cuenv, for the server's log. */
  readonly version: string;
  /** A clock that only goes forward (ms). */
  readonly now?: () => number;
}

/** A cache that speaks the Remote Execution API. Nothing is said to it before it is asked something. */
export interface RemoteCache {
  /** For people: host and port. */
  readonly name: string;
  readonly blobs: BlobStore;
  readonly actions: ActionStore;
  /** Whether asking it, or sending to it, is any use now: false while it is out of order, or when it refused. */
  readonly isUsable: (access: Access) => boolean;
  /** What it gave came too slowly to be of use: it is left alone for a while, as one that does not answer. */
  readonly tooSlow: () => void;
  /** Connects and learns what the server can do. @throws {RemoteError} */
  readonly connect: (signal?: AbortSignal) => Promise<void>;
  /** Asks the server itself whether it lets us; nothing is stored. @throws {RemoteError} when it cannot be found out */
  readonly mayUse: (access: Access, signal?: AbortSignal) => Promise<boolean>;
  readonly close: () => void;
}

/** @throws {CuenvError} CONFIG_VALUE when the endpoint is no address, or one without TLS beside certificates */
export function openRemoteCache(options: OpenRemoteCacheOptions): RemoteCache {
  const endpoint = parseEndpoint(options.endpoint);
  const { ca, cert, key } = options.tls ?? {};
  if (!endpoint.isSecure && [ca, cert, key].some((file) => file !== undefined)) {
    const message = `cannot use certificates with ${endpointName(endpoint)}: its address says grpc://, without TLS`;
    const hint = "Write grpcs://, or leave the certificates out.";
    throw new CuenvError("CONFIG_VALUE", message, { hint, field: "remoteCache.endpoint" });
  }
  const { token, namespace, digestFunction } = options;
  const told = createTold(token);
  const channelOptions = {
    endpoint,
    told,
    tls: options.tls ?? {},
    metadata: {
      "build.bazel.remote.execution.v2.requestmetadata-bin": requestMetadata(options.version),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  };
  const connectionFor = (instanceName: string) => ({ ...connection, instanceName });
  const connection = createRemoteConnection({
    // Each connects when it is used first: who sends nothing has one connection.
    channels: { read: openGrpcChannel(channelOptions), write: openGrpcChannel(channelOptions) },
    told,
    instanceName: instanceNameOf(namespace),
    digestFunction,
    timeoutMs: options.timeoutMs,
    maxConcurrent: options.maxConcurrent,
    isCompressing: options.compression ?? !isLoopback(endpoint),
    now: options.now ?? (() => performance.now()),
  });
  const stores = new Map<string, BlobStore>();
  const blobsOf = (name: string): BlobStore => {
    const store = stores.get(name) ?? createRemoteBlobStore(connectionFor(instanceNameOf(name)));
    stores.set(name, store);
    return store;
  };
  return {
    name: endpointName(endpoint),
    blobs: blobsOf(namespace),
    actions: createRemoteActionStore({ connection, blobsOf }),
    isUsable: (access) => connection.isUsable(access),
    tooSlow: () => connection.tooSlow(),
    connect: async (signal) => {
      await connection.capabilities(signal);
    },
    mayUse: (access, signal) => mayUse(connection, access, signal),
    close: () => connection.close(),
  };
}

/** Who calls, as REAPI's servers log it. */
function requestMetadata(version: string): Buffer {
  const message = create(RequestMetadataSchema, {
    toolDetails: { toolName: "cuenv", toolVersion: version },
    toolInvocationId: randomUUID(),
  });
  return Buffer.from(toBinary(RequestMetadataSchema, message));
}
