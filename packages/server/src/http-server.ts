import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { AccessPolicy, Identity } from "./access-policy.ts";
import type { Exchange, FrontEnd, Route } from "./front-end.ts";
import type { Metrics } from "./metrics.ts";
import { answerText } from "./operations-front-end.ts";
import { presentedToken } from "./presented-token.ts";
import { discardRest } from "./receive-body.ts";
import { parseTarget } from "./request-target.ts";

/** The head of a request must be here within (ms); its body within; nothing may stand still for. */
const headTimeoutMs = 15_000;
const requestTimeoutMs = 30 * 60_000;
const idleTimeoutMs = 60_000;
/** A request's head is at most so long (bytes); longer ones get 431. */
const maxHeadBytes = 32 * 1024;
const maxConnections = 2_000;
/** What may still run when the server is told to end (ms). */
export const drainMs: number = 20_000;

/** One request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  readonly path: string;
  readonly frontEnd: string;
  readonly route: string;
  readonly status: number;
  /** Whose token; undefined: nobody that is known. */
  readonly who: string | undefined;
  readonly durationMs: number;
}

export interface HttpServerOptions {
  /** Asked in order; the first that knows the path has it. */
  readonly frontEnds: readonly FrontEnd[];
  readonly policy: AccessPolicy;
  readonly metrics: Metrics;
  readonly onRequest?: (request: AnsweredRequest) => void;
  readonly onTrouble?: (message: string) => void;
}

export interface HttpServer {
  /** @returns where it listens. @throws the system's error (EADDRINUSE, EACCES …) */
  listen(address: { readonly host: string; readonly port: number }): Promise<{
    readonly host: string;
    readonly port: number;
  }>;
  /** Takes no new connection, lets what runs come to its end for {@link drainMs}, then ends the rest. */
  close(): Promise<void>;
}

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const ending = new AbortController();
  const server = createServer({ maxHeaderSize: maxHeadBytes }, (request, response) => {
    void answer(options, request, response, ending.signal);
  });
  server.headersTimeout = headTimeoutMs;
  server.requestTimeout = requestTimeoutMs;
  server.timeout = idleTimeoutMs;
  server.maxConnections = maxConnections;
  server.on("clientError", refuseBrokenRequest);
  return {
    listen: ({ host, port }) => listen(server, host, port),
    close: () => close(server, ending),
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

function close(server: Server, ending: AbortController): Promise<void> {
  const rest = setTimeout(() => {
    ending.abort();
    server.closeAllConnections();
  }, drainMs);
  return new Promise((resolve) => {
    server.close(() => {
      clearTimeout(rest);
      resolve();
    });
    server.closeIdleConnections();
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
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  ending: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const gone = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) gone.abort();
  });
  // A client that goes while an answer is written is no trouble of ours.
  response.on("error", () => undefined);
  const found = findRoute(options, request);
  let identity: Identity | undefined;
  response.once("close", () => {
    told(options, { request, response, identity, found, durationMs: performance.now() - started });
  });
  identity = await identified(options, request);
  if (found === undefined) {
    answerText(response, 404, "there is nothing here\n");
    discardRest(request);
    return;
  }
  const exchange: Exchange = {
    request,
    response,
    target: found.target,
    identity,
    signal: AbortSignal.any([gone.signal, ending]),
  };
  try {
    await found.route.handle(exchange);
  } catch (error) {
    if (gone.signal.aborted || request.destroyed || response.headersSent) response.destroy();
    else found.frontEnd.fail(exchange, error);
  } finally {
    discardRest(request);
  }
}

/** Who cannot be asked about is nobody. */
async function identified(
  { policy, onTrouble }: HttpServerOptions,
  request: IncomingMessage,
): Promise<Identity | undefined> {
  try {
    return await policy.identify(presentedToken(request));
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
    const handle = ({ response }: Exchange): void =>
      answerText(response, 400, "the path is not one\n");
    const none = { segments: [], query: new URLSearchParams() };
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
  options.metrics.count("cuenv_server_requests_total", {
    front_end: frontEnd,
    route,
    status: String(status),
  });
  const [path = ""] = (request.url ?? "").split("?");
  const method = request.method ?? "";
  options.onRequest?.({ method, path, frontEnd, route, status, who: identity?.name, durationMs });
}
