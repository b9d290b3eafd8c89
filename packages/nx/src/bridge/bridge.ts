import { timingSafeEqual } from "node:crypto";
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pipeline } from "node:stream/promises";
import type { CacheProcess } from "./cache-process.ts";
import { holdBody } from "./hold-body.ts";
import { randomToken } from "./random-token.ts";

/** An answer is taken whole before its first byte is passed on, so that no death of the server cuts it; in memory where it is not larger (64 MiB). */
const maxMemoryBytes = 64 * 1024 * 1024;
export interface BridgeLimits {
  /** The server answers within 30 s and 50 s whatever its store does; one that stands still for longer is given up (ms). */
  readonly stillMs: number;
  /** Without a request for so long the server is ended; the next one starts it again (ms). A killed Nx leaves it no longer than that in a daemon. */
  readonly unusedMs: number;
}
/** Of our own: with NODE_USE_ENV_PROXY that of Node's would ask a proxy for this machine. */
const agent = new Agent({ keepAlive: true });
const usualLimits: BridgeLimits = { stillMs: 60_000, unusedMs: 60_000 };

export interface BridgeCounts {
  readonly hits: number;
  /** Of keys: Nx 22 asks for one many times. */
  readonly misses: number;
  /** Keys that were stored. */
  readonly stored: ReadonlySet<string>;
  /** What the hits' tasks took when they ran, as far as it is known. */
  readonly savedMs: number;
}

/** What Nx' client speaks to. */
export interface Bridge {
  readonly url: string;
  readonly token: string;
  counts(): BridgeCounts;
  /** Tells how long the tasks took whose results were stored, by key (ms). Never throws. */
  noteDurations(durations: Readonly<Record<string, number>>): Promise<void>;
  /** Lets the server end. Never throws. */
  close(): Promise<void>;
}

export interface BridgeOptions {
  /** Called when the first request comes, and again after one that went unused. Undefined: the cache is off. */
  readonly start: () => Promise<CacheProcess | undefined>;
  /** Told once why there is no cache, if so. */
  readonly onWord: (line: string) => void;
  /** Called for each request of the run's. */
  readonly onRequest?: () => void;
  readonly limits?: BridgeLimits;
}

/**
 * Listens on the loopback for Nx' client, starts the server when it is first asked, and passes on. Nx ends a build over every answer that it does not
 * expect, and over a server that is gone: from here it only ever gets those that mean a hit, a miss, stored or not stored.
 */
export async function openBridge(options: BridgeOptions): Promise<Bridge> {
  const token = randomToken();
  const counts = { hits: 0, stored: new Set<string>(), savedMs: 0 };
  const missed = new Set<string>();
  // Nx 22 asks for every task that has not run yet whenever one has ended.
  const absent = new Set<string>();
  const { stillMs, unusedMs } = options.limits ?? usualLimits;
  const upstream = lazily(options, unusedMs);
  const server = createServer((incoming, response) => {
    void answer(incoming, response).catch(() => response.destroy());
  });
  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on("error", () => undefined);
    const hash = /\/v1\/cache\/([^/]*)$/.exec(incoming.url ?? "")?.[1];
    const isPut = incoming.method === "PUT";
    if (!isOwner(incoming, token)) return end(response, incoming, 401);
    options.onRequest?.();
    if (hash === undefined) return end(response, incoming, 404);
    if (!isPut && absent.has(hash)) return end(response, incoming, 404);
    const target = await upstream.use();
    const outcome =
      target === undefined
        ? undefined
        : isPut
          ? await put(target, hash, incoming, stillMs)
          : await get(target, hash, response, stillMs);
    if (isPut) {
      absent.delete(hash);
      if (outcome?.status === 200) counts.stored.add(hash);
      return end(
        response,
        incoming,
        outcome?.status === 200 || outcome?.status === 409 ? outcome.status : 403,
      );
    }
    if (outcome?.status === 200) {
      counts.hits += 1;
      counts.savedMs += outcome.durationMs;
      return;
    }
    if (outcome?.status === 404) absent.add(hash);
    if (!upstream.isOff()) missed.add(hash);
    end(response, incoming, 404);
  }
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}`,
    token,
    counts: () => ({ ...counts, misses: missed.size }),
    async noteDurations(durations) {
      const target = Object.keys(durations).length === 0 ? undefined : await upstream.use();
      if (target !== undefined) await post(target, JSON.stringify(durations), stillMs);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await upstream.end();
    },
  };
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      server.unref();
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function isOwner({ headers }: IncomingMessage, token: string): boolean {
  const given = Buffer.from(headers.authorization ?? "");
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** With exactly this type, and a text for 401: the client shows it then. */
function end(response: ServerResponse, incoming: IncomingMessage, status: number): void {
  if (response.headersSent) return void response.destroy();
  const text = status === 401 ? "Unauthorized: this cache is for another run of Nx." : "";
  response.writeHead(status, { "content-type": "text/plain", "content-length": text.length });
  response.end(text);
  // Whoever still sends must come to the answer.
  incoming.resume();
}

/** The server as long as it is used. One that is off or cannot be started is not started again. */
function lazily({ start, onWord }: BridgeOptions, unusedMs: number) {
  let running: Promise<CacheProcess | undefined> | undefined;
  let state: "usable" | "broken" | "off" = "usable";
  let timer: NodeJS.Timeout | undefined;
  const begin = async (): Promise<CacheProcess | undefined> => {
    try {
      const started = await start();
      if (started === undefined) state = "off";
      return started;
    } catch (error) {
      state = "broken";
      const reason = error instanceof Error ? error.message : String(error);
      onWord(`warning: Nx's cache is not shared in this run: ${reason}`);
      return undefined;
    }
  };
  const stop = async (): Promise<void> => {
    clearTimeout(timer);
    const before = running;
    running = undefined;
    await (await before)?.stop();
  };
  return {
    async use(): Promise<CacheProcess | undefined> {
      if (state !== "usable") return undefined;
      clearTimeout(timer);
      timer = setTimeout(() => void stop(), unusedMs).unref();
      running ??= begin();
      return running;
    },
    isOff: () => state === "off",
    end: stop,
  };
}

interface Outcome {
  readonly status: number;
  readonly durationMs: number;
}

const nothing: Outcome = { status: 0, durationMs: 0 };

function headersFor({ token }: CacheProcess): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** Passes a hit on to `response`; anything else is left to the caller to answer. */
function get(
  target: CacheProcess,
  hash: string,
  response: ServerResponse,
  stillMs: number,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const outgoing = request(`${target.url}/v1/cache/${hash}`, {
      headers: headersFor(target),
      agent,
    });
    outgoing.setTimeout(stillMs, () => outgoing.destroy());
    outgoing.on("error", () => resolve(nothing));
    outgoing.on("response", (incoming) => {
      const status = incoming.statusCode ?? 0;
      if (status !== 200) {
        incoming.resume();
        return resolve({ status, durationMs: 0 });
      }
      const durationMs = Number(incoming.headers["x-artifact-duration"] ?? 0);
      void passOn(incoming, response, () => resolve({ status: 200, durationMs }))
        // Whoever asked is gone.
        .catch(() => response.destroy())
        .finally(() => resolve(nothing));
      return undefined;
    });
    outgoing.end();
  });
}

/** Nothing is passed on of what was not received whole. `onHeld` is called before anything is. @throws when whoever asked is gone */
async function passOn(
  incoming: IncomingMessage,
  response: ServerResponse,
  onHeld: () => void,
): Promise<void> {
  const lengthBytes = Number(incoming.headers["content-length"] ?? 0);
  const held = await holdBody(incoming, { lengthBytes, maxMemoryBytes });
  if (held === undefined) return;
  onHeld();
  try {
    response.writeHead(200, {
      "content-type": "application/octet-stream",
      "content-length": lengthBytes,
    });
    await pipeline(held.read(), response);
  } finally {
    held.release();
  }
}

function put(
  target: CacheProcess,
  hash: string,
  incoming: IncomingMessage,
  stillMs: number,
): Promise<Outcome> {
  const length = incoming.headers["content-length"];
  const asked = { method: "PUT", path: `/v1/cache/${hash}`, length, stillMs };
  return send(target, asked, (outgoing) => {
    incoming.pipe(outgoing);
    // Nx is gone: what is half there must not look whole.
    incoming.on("close", () => {
      if (!incoming.complete) outgoing.destroy();
    });
  });
}

function post(target: CacheProcess, text: string, stillMs: number): Promise<Outcome> {
  const length = String(Buffer.byteLength(text));
  const asked = { method: "POST", path: "/v1/durations", length, stillMs };
  return send(target, asked, (outgoing) => outgoing.end(text));
}

function send(
  target: CacheProcess,
  asked: {
    readonly method: string;
    readonly path: string;
    readonly length: string | undefined;
    readonly stillMs: number;
  },
  write: (outgoing: ReturnType<typeof request>) => void,
): Promise<Outcome> {
  const { method, path, length, stillMs } = asked;
  return new Promise((resolve) => {
    const outgoing = request(`${target.url}${path}`, {
      method,
      agent,
      headers: {
        ...headersFor(target),
        "content-type": "application/octet-stream",
        ...(length === undefined ? {} : { "content-length": length }),
      },
    });
    outgoing.setTimeout(stillMs, () => outgoing.destroy());
    outgoing.on("error", () => resolve(nothing));
    outgoing.on("response", (answered) => {
      answered.resume();
      resolve({ status: answered.statusCode ?? 0, durationMs: 0 });
    });
    write(outgoing);
  });
}
