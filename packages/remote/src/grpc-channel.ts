import type { DescMethod } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type ChannelCredentials,
  Client,
  type ClientOptions,
  type ClientWritableStream,
  credentials,
  Metadata,
} from "@grpc/grpc-js";
import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { type Endpoint, isLoopback } from "./endpoint.ts";
import { quietGrpc } from "./grpc-words.ts";
import { asRemoteError, type Told } from "./remote-error.ts";

/** PEM. */
export interface RemoteTls {
  /** Who signed the server's certificate; undefined: one of those that Node knows. */
  readonly ca?: Buffer | undefined;
  /** What we show, where the server asks for it: a certificate and its key. */
  readonly cert?: Buffer | undefined;
  readonly key?: Buffer | undefined;
}

export interface GrpcChannelOptions {
  readonly endpoint: Endpoint;
  readonly tls: RemoteTls;
  /** Sent with every call. */
  readonly metadata: Readonly<Record<string, string | Buffer>>;
  readonly told: Told;
}

/**
 * Calls in bytes, each once: no retries, no bound but the signal's. What fails is a RemoteError; an abort is CANCELLED.
 */
export interface GrpcChannel {
  call(method: DescMethod, request: Uint8Array, signal: AbortSignal): Promise<Buffer>;
  read(method: DescMethod, request: Uint8Array, signal: AbortSignal): AsyncIterable<Buffer>;
  /** Sends until the server answers, which it may do before the end. */
  write(
    method: DescMethod,
    requests: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<Buffer>;
  close(): void;
}

/** HTTP/2's default of 64 KiB would cap a download at 64 KiB per round trip (reference/reapi.md 2.2). */
const windowBytes = 8 * 1024 * 1024;
const maxMessageBytes = 64 * 1024 * 1024;

const channelOptions: ClientOptions = {
  "grpc-node.flow_control_window": windowBytes,
  "grpc.max_receive_message_length": maxMessageBytes,
  "grpc.max_send_message_length": -1,
  // A connection of its own, whoever else is there in this process.
  "grpc.use_local_subchannel_pool": 1,
  // Retries are ours, so that all of them share one bound.
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  // A connection that a firewall forgot is found out while something waits for it.
  "grpc.keepalive_time_ms": 20_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.initial_reconnect_backoff_ms": 200,
  "grpc.max_reconnect_backoff_ms": 2_000,
};

export function openGrpcChannel(options: GrpcChannelOptions): GrpcChannel {
  quietGrpc();
  const { endpoint } = options;
  const host = isIP(endpoint.host) === 6 ? `[${endpoint.host}]` : endpoint.host;
  const client = new Client(`${host}:${endpoint.port}`, credentialsFor(options), {
    ...channelOptions,
    // A proxy (http_proxy) would ask its own machine instead of this one, and get our token.
    ...(isLoopback(endpoint) ? { "grpc.enable_http_proxy": 0 } : {}),
    ...(isIP(endpoint.host) === 0 ? {} : { "grpc.ssl_target_name_override": addressName }),
  });
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(options.metadata)) metadata.set(name, value);
  const calls = { client, metadata, told: options.told };
  return {
    call: (method, request, signal) => unary(calls, method, request, signal),
    read: (method, request, signal) => serverStream(calls, method, request, signal),
    write: (method, requests, signal) => clientStream(calls, method, requests, signal),
    close: () => client.close(),
  };
}

interface Calls {
  readonly client: Client;
  readonly metadata: Metadata;
  readonly told: Told;
}

function same(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function unary(
  { client, metadata, told }: Calls,
  method: DescMethod,
  request: Uint8Array,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const path = pathOf(method);
    const call = client.makeUnaryRequest(
      path,
      same,
      same,
      request,
      metadata,
      none,
      (error, answer) => {
        signal.removeEventListener("abort", cancel);
        if (error === null && answer !== undefined) resolve(answer);
        else reject(asRemoteError(error, told));
      },
    );
    const cancel = (): void => call.cancel();
    onAbort(signal, cancel);
  });
}

async function* serverStream(
  { client, metadata, told }: Calls,
  method: DescMethod,
  request: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const path = pathOf(method);
  const call = client.makeServerStreamRequest(path, same, same, request, metadata, none);
  const cancel = (): void => call.cancel();
  onAbort(signal, cancel);
  try {
    for await (const answer of call) yield answer as Buffer;
  } catch (error) {
    throw asRemoteError(error, told);
  } finally {
    signal.removeEventListener("abort", cancel);
    call.cancel();
  }
}

function clientStream(
  { client, metadata, told }: Calls,
  method: DescMethod,
  requests: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const source = requests[Symbol.asyncIterator]();
    let isOver = false;
    const over = (): void => {
      isOver = true;
      signal.removeEventListener("abort", cancel);
    };
    const path = pathOf(method);
    const call = client.makeClientStreamRequest(
      path,
      same,
      same,
      metadata,
      none,
      (error, answer) => {
        over();
        if (error === null && answer !== undefined) resolve(answer);
        else reject(asRemoteError(error, told));
      },
    );
    const cancel = (): void => call.cancel();
    onAbort(signal, cancel);
    // The answer says what went wrong.
    call.on("error", () => undefined);
    send(call, source, () => isOver)
      .catch((error: unknown) => {
        over();
        call.cancel();
        reject(error);
      })
      .finally(() => void source.return?.());
  });
}

const none: CallOptions = {};

function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

function onAbort(signal: AbortSignal, cancel: () => void): void {
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
}

/** One message waits to be sent at a time. */
async function send(
  call: ClientWritableStream<Uint8Array>,
  source: AsyncIterator<Uint8Array>,
  isOver: () => boolean,
): Promise<void> {
  for (;;) {
    const next = await source.next();
    if (isOver()) return;
    if (next.done === true) break;
    if (call.write(next.value)) continue;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        call.off("drain", done);
        call.off("close", done);
        call.off("error", done);
        resolve();
      };
      for (const event of ["drain", "close", "error"]) call.on(event, done);
      if (isOver()) done();
    });
  }
  call.end();
}

/** TLS has names of hosts, and none of addresses: what a certificate says of an address is checked by us. */
const addressName = "address.invalid";

function credentialsFor({ endpoint, tls }: GrpcChannelOptions): ChannelCredentials {
  if (!endpoint.isSecure) return credentials.createInsecure();
  const { ca = null, key = null, cert = null } = tls;
  if (isIP(endpoint.host) === 0) return credentials.createSsl(ca, key, cert);
  return credentials.createSsl(ca, key, cert, {
    checkServerIdentity: (_, certificate) => checkServerIdentity(endpoint.host, certificate),
  });
}
