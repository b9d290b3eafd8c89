import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { AccessPolicy, Identity } from "./access-policy.ts";
import { type ConnectionDrain, createConnectionDrain } from "./connection-drain.ts";
import { countRequest } from "./count-request.ts";
import type { Exchange, FrontEnd, Route } from "./front-end.ts";
import type { Metrics } from "./metrics.ts";
import { answerText } from "./operations-front-end.ts";
import { presentedToken } from "./presented-token.ts";
import { discardRest, outlastBody } from "./receive-body.ts";
import { parseTarget } from "./request-target.ts";
import { holdBody, type SenderLimits, senderLimits, watchSender } from "./sender-watch.ts";
import { certificateNameOf, renewTls, type TlsMaterial, tlsOptions } from "./tls-material.ts";

export interface HttpLimits {
  /** The head of a request must be here within (ms); its body within. */
  readonly headMs: number;
  readonly requestMs: number;
  /** A connection on which nothing moves ends after (ms). */
  readonly idleMs: number;
  /** Of a body that nobody wants, the rest is read for (ms). */
  readonly unwantedMs: number;
  /** What still runs when the server is told to end may run for (ms). */
  readonly drainMs: number;
  readonly sender: SenderLimits;
}

/** What may still run when the server is told to end (ms). */
export const drainMs: number = 20_000;

const defaultLimits: HttpLimits = {
  headMs: 15_000,
  requestMs: 30 * 60_000,
  idleMs: 60_000,
  unwantedMs: 10_000,
  drainMs,
  sender: senderLimits,
};
/** A request's head is at most so long (bytes); longer ones get 431. */
const maxHeadBytes = 32 * 1024;
const maxConnections = 2_000;

/** One request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  readonly path: string;
  readonly frontEnd: string;
  readonly route: string;
  /** Of HTTP, or the name of one of gRPC. */
  readonly status: number | string;
  /** Whose token; undefined: nobody that is known. */
  readonly who: string | undefined;
  readonly durationMs: number;
}

export interface HttpServerOptions {
  /** Asked in order; the first that knows the path has it. */
  readonly frontEnds: readonly FrontEnd[];
  readonly policy: AccessPolicy;
  readonly metrics: Metrics;
  /** Undefined: nothing is encrypted. */
  readonly tls?: TlsMaterial | undefined;
  readonly onRequest?: (request: AnsweredRequest) => void;
  readonly onTrouble?: (message: string) => void;
  readonly limits?: Partial<HttpLimits>;
}

export interface HttpServer {
  /** @returns where it listens. @throws the system's error (EADDRINUSE, EACCES …) */
  listen(address: { readonly host: string; readonly port: number }): Promise<{
    readonly host: string;
    readonly port: number;
  }>;
  /** What new connections are shown from now on, where TLS is spoken. */
  renewTls(material: TlsMaterial): void;
  /** Takes no new connection, lets what runs come to its end for {@link HttpLimits.drainMs}, then ends the rest. */
  close(): Promise<void>;
}

/** One for each request that is not answered yet. `AbortSignal.any` of each and the server's own took 3 % of the CPU of a miss. */
type Running = Set<AbortController>;

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const running: Running = new Set();
  const limits = { ...defaultLimits, ...options.limits };
  const limited = { ...options, limits };
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    connections.note(request, response);
    outlastBody(request, response);
    watchSender(request, response, limits.sender);
    void answer(limited, request, response, running);
  };
  const { tls } = options;
  const server =
    tls === undefined
      ? createServer({ maxHeaderSize: maxHeadBytes }, onRequest)
      : createTlsServer({ maxHeaderSize: maxHeadBytes, ...tlsOptions(tls) }, onRequest);
  const connections = createConnectionDrain(server, tls !== undefined);
  server.headersTimeout = limits.headMs;
  server.requestTimeout = limits.requestMs;
  server.timeout = limits.idleMs;
  server.maxConnections = maxConnections;
  server.on("clientError", refuseBrokenRequest);
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    holdBody(request, response);
    onRequest(request, response);
  });
  return {
    listen: ({ host, port }) => listen(server, host, port),
    renewTls: (material) => renewTls(server, material),
    close: () => close(server, connections, running, limits.drainMs),
  };
}

function listen(server: Server, host: string, port: number) {
  return new Promise<{ host: string; port: number }>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve({ host, port: (server.address() as AddressInfo).port });
    });
  });
}

function close(
  server: Server,
  connections: ConnectionDrain,
  running: Running,
  allowedMs: number,
): Promise<void> {
  const rest = setTimeout(() => {
    for (const request of running) request.abort();
    connections.finish();
  }, allowedMs);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(rest);
      resolve();
    });
    connections.begin();
  });
}

/** What is no request: a head too long (431), or anything else (400). */
function refuseBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable || socket.destroyed) return void socket.destroy();
  const line =
    error.code === "HPE_HEADER_OVERFLOW"
      ? "431 Request Header Fields Too Large"
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? "408 Request Timeout"
        : "400 Bad Request";
  socket.end(`HTTP/1.1 ${line}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}

async function answer(
  options: HttpServerOptions & { readonly limits: HttpLimits },
  request: IncomingMessage,
  response: ServerResponse,
  running: Running,
): Promise<void> {
  const started = performance.now();
  // A client that goes while an answer is written is no trouble of ours.
  response.on("error", () => undefined);
  if (response.socket === null && !(await isNext(response))) return;
  const gone = new AbortController();
  running.add(gone);
  response.once("close", () => {
    running.delete(gone);
    if (!response.writableFinished) gone.abort();
  });
  const found = findRoute(options, request);
  let identity: Identity | undefined;
  response.once("close", () => {
    told(options, { request, response, identity, found, durationMs: performance.now() - started });
  });
  const { socket } = request;
  const shown = socket instanceof TLSSocket ? certificateNameOf(socket) : undefined;
  identity = await identified(options, presentedToken(request), shown);
  if (found === undefined) {
    answerText(response, 404, "there is nothing here\n");
    discardRest(request, options.limits.unwantedMs);
    return;
  }
  if (isFromWebPage(request)) {
    answerText(response, 403, "web pages store nothing here\n");
    discardRest(request, options.limits.unwantedMs);
    return;
  }
  const exchange: Exchange = {
    request,
    response,
    target: found.target,
    identity,
    identify: (token) => identified(options, token),
    signal: gone.signal,
  };
  try {
    await found.route.handle(exchange);
  } catch (error) {
    // A request that was read to its end counts as destroyed, too, and its client waits for an answer.
    const isCut = request.destroyed && !request.complete;
    if (gone.signal.aborted || isCut || response.headersSent) response.destroy();
    else found.frontEnd.fail(exchange, error);
  } finally {
    discardRest(request, options.limits.unwantedMs);
  }
}

/**
 * Of requests that were sent without waiting for answers, each waits for the one before it: what it asks for may be what that one stores, and answers that nobody reads yet
 * would all be held (1.4 GB for one connection, of 700 requests in its first 64 KiB). False: the client is gone.
 */
function isNext(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    response.once("socket", () => resolve(true));
    response.once("close", () => resolve(false));
  });
}

/**
 * Browsers send an origin with all that writes, and clients of caches none. A server of this machine alone needs no token: any page that its user looks at could otherwise
 * put results into it, by its address, or by a name of the page's own that leads here (DNS rebinding).
 */
function isFromWebPage({ method, headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && (method === "PUT" || method === "DELETE");
}

/** Who cannot be asked about is nobody. */
async function identified(
  { policy, onTrouble }: HttpServerOptions,
  token: string | undefined,
  certificateName?: string,
): Promise<Identity | undefined> {
  try {
    return await policy.identify(token, certificateName);
  } catch (error) {
    onTrouble?.(`cannot find out whose token it is: ${String(error)}`);
    return undefined;
  }
}

interface Found {
  readonly frontEnd: FrontEnd;
  readonly route: Route;
  readonly target: Exchange["target"];
}

const unreadable: FrontEnd = { name: "none", route: () => undefined, fail: () => undefined };

function findRoute(options: HttpServerOptions, request: IncomingMessage): Found | undefined {
  const target = parseTarget(request.url ?? "");
  if (target === undefined) {
    const none = { segments: [], query: new URLSearchParams() };
    for (const frontEnd of options.frontEnds) {
      const route = frontEnd.routeUnreadable?.(request.method ?? "", request.url ?? "");
      if (route !== undefined) return { frontEnd, route, target: none };
    }
    const handle = ({ response }: Exchange): void =>
      answerText(response, 400, "the path is not one\n");
    return { frontEnd: unreadable, route: { name: "invalid", handle }, target: none };
  }
  for (const frontEnd of options.frontEnds) {
    const route = frontEnd.route(request.method ?? "", target);
    if (route !== undefined) return { frontEnd, route, target };
  }
  return undefined;
}

function told(
  options: HttpServerOptions,
  answered: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly identity: Identity | undefined;
    readonly found: Found | undefined;
    readonly durationMs: number;
  },
): void {
  const { request, response, identity, found, durationMs } = answered;
  const frontEnd = found?.frontEnd.name ?? "none";
  const route = found?.route.name ?? "unknown";
  const status = response.headersSent ? response.statusCode : 499;
  countRequest(options.metrics, { frontEnd, route, status: String(status), durationMs });
  const [path = ""] = (request.url ?? "").split("?");
  const method = request.method ?? "";
  options.onRequest?.({ method, path, frontEnd, route, status, who: identity?.name, durationMs });
}
