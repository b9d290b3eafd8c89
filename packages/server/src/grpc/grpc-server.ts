import {
  createSecureServer,
  createServer,
  type Http2Server,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { totalmem } from "node:os";
import process from "node:process";
import type { TLSSocket } from "node:tls";
import { certificateNameOf, renewTls, type TlsMaterial, tlsOptions } from "../tls-material.ts";
import { type ByteBudget, createByteBudget } from "./byte-budget.ts";
import { GrpcError, type GrpcStatusName } from "./grpc-status.ts";
import type { GrpcCall, GrpcMethod, GrpcMethods } from "./grpc-method.ts";
import { type GrpcStream, openGrpcStream } from "./grpc-stream.ts";
import { parseGrpcTimeout } from "./grpc-timeout.ts";

/**
 * What one stream, and all of a connection together, may have under way towards us (bytes). HTTP/2's default of 64 KiB caps an upload at 64 KiB per
 * round trip: 1.5 MB/s at 20 ms (reference/reapi.md 2.2).
 */
export const streamWindowBytes: number = 4 * 1024 * 1024;
export const connectionWindowBytes: number = 16 * 1024 * 1024;
const maxStreamsPerConnection = 256;
const maxConnections = 2000;
const maxHeaderBytes = 16 * 1024;
/** A connection on which nothing happens is asked whether it is still there after so long (ms), and has so long to answer. */
const keepaliveMs = 5 * 60_000;
const keepaliveAnswerMs = 20_000;
const idleMs = 60_000;
/**
 * Of all connections together, so much memory may be held by requests that are not complete yet, and by answers that were not read yet (bytes). A read of
 * a large blob has 2 MiB under way: where there is memory, thousands of clients may read at once.
 */
export const heldAnswerBytes: number = Math.max(512 * 1024 * 1024, memoryBytes() / 4);
const maxHeldBytes = { requests: 256 * 1024 * 1024, answers: heldAnswerBytes };

/** One call that ended. */
export interface AnsweredCall {
  readonly path: string;
  /** Whether there is a method at `path`. What else is there is what its client wrote. */
  readonly isServed: boolean;
  readonly status: GrpcStatusName;
  /** Whose credential; undefined: nobody's that is known. */
  readonly who: string | undefined;
  readonly durationMs: number;
}

export interface GrpcServerOptions {
  readonly methods: GrpcMethods;
  /** No message is longer. */
  readonly maxMessageBytes: number;
  /** Default: {@link maxHeldBytes}. */
  readonly maxHeldBytes?: { readonly requests: number; readonly answers: number } | undefined;
  /** Undefined: plain HTTP/2. */
  readonly tls?: TlsMaterial | undefined;
  readonly onCall?: ((call: AnsweredCall) => void) | undefined;
  /** A handler threw what it should not have: for whoever runs the server. */
  readonly onTrouble?: ((message: string) => void) | undefined;
  /** What may still run when the server is told to end (ms). */
  readonly drainMs: number;
}

export interface GrpcServer {
  /** @returns where it listens. @throws the system's error (EADDRINUSE, EACCES …) */
  listen(address: { readonly host: string; readonly port: number }): Promise<{
    readonly host: string;
    readonly port: number;
  }>;
  /** What new connections are shown from now on, where TLS is spoken. */
  renewTls(material: TlsMaterial): void;
  /** Takes no new call, lets those that run come to their end for `drainMs`, then ends the rest. */
  close(): Promise<void>;
}

type Peer = Pick<GrpcCall, "peer" | "certificateName">;

/** Of this machine, or of the container that this is. */
function memoryBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Number.MAX_SAFE_INTEGER);
}

interface Running {
  readonly options: GrpcServerOptions;
  readonly sessions: Map<Http2Session, Peer>;
  readonly sockets: Set<Socket>;
  readonly ending: AbortController;
  readonly requests: ByteBudget;
  readonly answers: ByteBudget;
}

/** gRPC straight on HTTP/2 (docs/decisions/0100 has why, with measurements). */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const held = options.maxHeldBytes ?? maxHeldBytes;
  const running: Running = {
    options,
    sessions: new Map(),
    sockets: new Set(),
    ending: new AbortController(),
    requests: createByteBudget(held.requests),
    answers: createByteBudget(held.answers),
  };
  const server = createHttp2Server(options);
  server.maxConnections = maxConnections;
  server.on("connection", (socket: Socket) => {
    running.sockets.add(socket);
    socket.once("close", () => running.sockets.delete(socket));
  });
  server.on("session", (session) => keepSession(running, session));
  server.on("stream", (stream, headers) => void answer(running, stream, headers));
  // What is no HTTP/2, or breaks off: that client's loss alone.
  server.on("sessionError", () => undefined);
  return {
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen({ host, port }, () => {
          server.off("error", reject);
          resolve({ host, port: (server.address() as AddressInfo).port });
        });
      }),
    renewTls: (material) => renewTls(server, material),
    close: () => closeServer(running, server),
  };
}

function createHttp2Server({ tls }: GrpcServerOptions): Http2Server {
  const shared = {
    settings: {
      initialWindowSize: streamWindowBytes,
      maxConcurrentStreams: maxStreamsPerConnection,
      maxHeaderListSize: maxHeaderBytes,
      enablePush: false,
    },
    // MB, of one connection. What its streams hold is bounded by its window and by the budgets.
    maxSessionMemory: 512,
  };
  if (tls === undefined) return createServer(shared);
  return createSecureServer({ ...shared, ...tlsOptions(tls), allowHTTP1: false });
}

function keepSession({ sessions }: Running, session: ServerHttp2Session): void {
  sessions.set(session, peerOf(session));
  session.once("close", () => sessions.delete(session));
  session.on("error", () => undefined);
  session.setLocalWindowSize(connectionWindowBytes);
  session.setTimeout(keepaliveMs, () => {
    const gone = setTimeout(() => session.destroy(), keepaliveAnswerMs);
    gone.unref();
    const isSent = !session.closed && !session.destroyed && session.ping(() => clearTimeout(gone));
    if (!isSent) session.destroy();
  });
}

async function closeServer(running: Running, server: Http2Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  // GOAWAY: no new streams; a connection without any ends at once.
  for (const session of running.sessions.keys()) session.close();
  const rest = setTimeout(() => {
    running.ending.abort();
    for (const session of running.sessions.keys()) session.destroy();
    // A session that was told to close only says that it ends, and waits for a peer to do the same, which may never come to it.
    for (const socket of running.sockets) socket.destroy();
  }, running.options.drainMs);
  await closed;
  clearTimeout(rest);
}

async function answer(
  running: Running,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const { options } = running;
  const started = performance.now();
  stream.on("error", () => undefined);
  const path = headers[":path"] ?? "";
  let status: GrpcStatusName = "OK";
  let who: string | undefined;
  const method = options.methods.get(path);
  const isServed = method !== undefined;
  const told = (): void =>
    options.onCall?.({ path, isServed, status, who, durationMs: performance.now() - started });
  if (!String(headers["content-type"]).startsWith("application/grpc")) {
    if (!stream.closed && !stream.destroyed)
      stream.respond({ ":status": 415 }, { endStream: true });
    status = "UNKNOWN";
    return told();
  }
  const call = openGrpcStream(stream, headers, {
    maxMessageBytes: method?.maxMessageBytes ?? options.maxMessageBytes,
    idleMs,
    requests: running.requests,
    answers: running.answers,
  });
  try {
    await handle(running, stream, headers, {
      method,
      path,
      wire: call,
      identified: (name) => void (who = name),
    });
  } catch (error) {
    const failure = asGrpcError(error, path, options);
    ({ status } = failure);
    call.close(status, failure.message);
  }
  told();
}

async function handle(
  running: Running,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  begun: Pick<GrpcCall, "path" | "identified"> & {
    readonly method: GrpcMethod | undefined;
    readonly wire: GrpcStream;
  },
): Promise<void> {
  const { method, path, wire, identified } = begun;
  if (method === undefined)
    throw new GrpcError("UNIMPLEMENTED", `there is no method ${path.slice(0, 200)}`);
  const limits = watch(running, stream, headers);
  const { session } = stream;
  const { peer, certificateName } = (session && running.sessions.get(session)) ?? nobody;
  const { signal } = limits;
  const call: GrpcCall = { path, headers, signal, peer, certificateName, identified };
  try {
    await Promise.race([respond(method, call, wire), limits.over]);
  } finally {
    limits.end();
  }
}

async function respond(method: GrpcMethod, call: GrpcCall, wire: GrpcStream): Promise<void> {
  await method.admit?.(call);
  switch (method.kind) {
    case "unary":
      return wire.end(await method.handle(await wire.message(), call));
    case "clientStreaming":
      return wire.end(await method.handle(wire.messages(), call));
    case "serverStreaming": {
      for await (const message of method.handle(await wire.message(), call))
        await wire.write(message);
      return wire.close("OK");
    }
  }
}

/** The bounds of one call: `signal` is aborted, and `over` rejects, when the first of them is reached. */
function watch(running: Running, stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
  const controller = new AbortController();
  const { signal } = controller;
  let fail: (error: GrpcError) => void = () => undefined;
  const over = new Promise<never>((_, reject) => void (fail = reject));
  // Where the handler was quicker, nobody listens.
  over.catch(() => undefined);
  const stop = (status: GrpcStatusName, message: string): void => {
    const error = new GrpcError(status, message);
    controller.abort(error);
    fail(error);
  };
  const gone = (): void => stop("CANCELLED", "the client ended the call");
  const ended = (): void => stop("UNAVAILABLE", "the server ends");
  stream.once("close", gone);
  running.ending.signal.addEventListener("abort", ended, { once: true });
  const timeout = headers["grpc-timeout"];
  const allowedMs = parseGrpcTimeout(typeof timeout === "string" ? timeout : undefined);
  const deadline =
    allowedMs === undefined
      ? undefined
      : setTimeout(() => stop("DEADLINE_EXCEEDED", "the client's deadline is over"), allowedMs);
  return {
    signal,
    over,
    end: () => {
      clearTimeout(deadline);
      stream.off("close", gone);
      running.ending.signal.removeEventListener("abort", ended);
    },
  };
}

const nobody: Peer = { peer: "", certificateName: undefined };

function peerOf(session: ServerHttp2Session): Peer {
  const { socket } = session;
  const peer = socket.remoteAddress ?? "";
  if (session.encrypted !== true) return { peer, certificateName: undefined };
  return { peer, certificateName: certificateNameOf(socket as TLSSocket) };
}

function asGrpcError(error: unknown, path: string, { onTrouble }: GrpcServerOptions): GrpcError {
  if (error instanceof GrpcError) return error;
  const text = error instanceof Error ? error.message : String(error);
  onTrouble?.(`${path} failed: ${text}`);
  return new GrpcError("INTERNAL", "the server failed", error);
}
