import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { readdirSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { afterEach, describe, expect, it } from "vitest";
import { type Bridge, type BridgeOptions, openBridge } from "./bridge.ts";
import type { CacheProcess } from "./cache-process.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** Something in the place of cuenv serve, which answers whatever a test wants. */
async function upstream(handler: Handler): Promise<CacheProcess & { readonly server: Server }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, token: "inner", stop: async () => {}, server };
}

interface Opened {
  readonly bridge: Bridge;
  readonly words: string[];
  readonly ask: (method: string, body?: Uint8Array, token?: string) => Promise<Response>;
}

async function opened(
  start: BridgeOptions["start"],
  limits: Partial<BridgeOptions["limits"]> = {},
): Promise<Opened> {
  const words: string[] = [];
  const bridge = await openBridge({
    start,
    onWord: (line) => words.push(line),
    limits: { stillMs: 5000, unusedMs: 5000, ...limits },
  });
  closing.push(() => bridge.close());
  return {
    bridge,
    words,
    ask: (method, body, token = bridge.token) =>
      fetch(`${bridge.url}/v1/cache/123`, {
        method,
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body: new Uint8Array(body) }),
      }),
  };
}

function answering(status: number, headers: Record<string, string> = {}, body = ""): Handler {
  return (request, response) => {
    request.resume();
    request.on("end", () => {
      response.writeHead(status, { "content-length": Buffer.byteLength(body), ...headers });
      response.end(body);
    });
  };
}

describe("the bridge", () => {
  it("passes hits, misses, what is stored and what is there already, and counts them", async () => {
    const stored: string[] = [];
    let status = 404;
    const target = await upstream((request, response) => {
      expect(request.headers.authorization).toBe("Bearer inner");
      if (request.method === "PUT")
        request.on("data", (chunk: Buffer) => stored.push(chunk.toString()));
      answering(
        status,
        { "x-artifact-duration": "1500" },
        status === 200 && request.method === "GET" ? "archive" : "",
      )(request, response);
    });
    const { bridge, ask } = await opened(async () => target);
    expect((await ask("GET")).status).toBe(404);
    status = 200;
    expect((await ask("PUT", Buffer.from("bytes"))).status).toBe(200);
    const hit = await ask("GET");
    expect([hit.status, await hit.text()]).toEqual([200, "archive"]);
    expect(hit.headers.get("content-type")).toBe("application/octet-stream");
    status = 409;
    expect((await ask("PUT", Buffer.from("others"))).status).toBe(409);
    expect(stored).toEqual(["bytes", "others"]);
    expect(bridge.counts()).toMatchObject({ hits: 1, misses: 1, savedMs: 1500 });
    expect([...bridge.counts().stored]).toEqual(["123"]);
  });

  it("asks once for what is not there, and counts it once, however often Nx asks", async () => {
    const asked: string[] = [];
    const target = await upstream((request, response) => {
      asked.push(request.method ?? "");
      answering(request.method === "PUT" ? 200 : 404)(request, response);
    });
    const { bridge, ask } = await opened(async () => target);
    for (const _ of [1, 2, 3]) expect((await ask("GET")).status).toBe(404);
    expect([asked, bridge.counts().misses]).toEqual([["GET"], 1]);
    // What was stored may be there.
    await ask("PUT", Buffer.from("bytes"));
    await ask("GET");
    expect([asked, bridge.counts().misses]).toEqual([["GET", "PUT", "GET"], 1]);
  });

  it("starts nothing before it is asked, and lets in only who has the token of this run", async () => {
    let started = 0;
    const { ask } = await opened(async () => {
      started += 1;
      return upstream(answering(404));
    });
    const stranger = await ask("GET", undefined, "another");
    expect(stranger.status).toBe(401);
    expect(stranger.headers.get("content-type")).toBe("text/plain");
    expect(started).toBe(0);
    await ask("GET");
    await ask("GET");
    expect(started).toBe(1);
  });

  it.each([201, 204, 400, 401, 403, 413, 429, 500, 502, 503])(
    "makes a miss and a refusal of a server that answers %i",
    async (status) => {
      const target = await upstream(answering(status));
      const { ask } = await opened(async () => target);
      expect((await ask("GET")).status).toBe(404);
      expect((await ask("PUT", Buffer.from("x"))).status).toBe(403);
    },
  );

  it.each<[string, Handler]>([
    ["ends the connection", (request) => request.socket.destroy()],
    [
      "ends in the middle of an archive",
      (_, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half");
        setTimeout(() => response.destroy(), 20);
      },
    ],
    ["never answers", () => undefined],
    [
      "stands still in the middle",
      (_, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half");
      },
    ],
  ])("makes a miss and a refusal of a server that %s", async (_, handler) => {
    const target = await upstream(handler);
    const { ask } = await opened(async () => target, { stillMs: 100 });
    expect((await ask("GET")).status).toBe(404);
    // What was stored was stored, whatever became of the rest of the answer.
    expect([200, 403]).toContain((await ask("PUT", Buffer.alloc(300_000))).status);
  });

  it.each([
    ["small", 100_000],
    ["larger than what is held in memory", 70 * 1024 * 1024],
  ])(
    "never passes on the beginning of an archive that the server did not end: one that is %s",
    async (_, size) => {
      const archive = Buffer.alloc(size, "archive ");
      let isCut = true;
      const target = await upstream((request, response) => {
        request.resume();
        response.writeHead(200, { "content-length": size });
        if (!isCut) return response.end(archive);
        response.write(archive.subarray(0, size - 10));
        return setTimeout(() => response.destroy(), 50);
      });
      const { bridge, ask } = await opened(async () => target);
      expect((await ask("GET")).status).toBe(404);
      isCut = false;
      const whole = await ask("GET");
      expect(whole.status).toBe(200);
      expect(archive.equals(Buffer.from(await whole.arrayBuffer()))).toBe(true);
      expect(bridge.counts()).toMatchObject({ hits: 1, misses: 1 });
      const left = (): string[] =>
        readdirSync(tmpdir()).filter((name) => name.startsWith("cuenv-nx-archive-"));
      await expect.poll(left).toEqual([]);
    },
  );

  it("says once that there is no server, and does without", async () => {
    const { ask, words } = await opened(async () => {
      throw new Error("no disk");
    });
    expect((await ask("GET")).status).toBe(404);
    expect((await ask("PUT", Buffer.alloc(300_000))).status).toBe(403);
    expect(words).toEqual(["warning: Nx's cache is not shared in this run: no disk"]);
  });

  it("does without a word where the cache is off, and counts nothing", async () => {
    let started = 0;
    const { ask, words, bridge } = await opened(async () => {
      started += 1;
      return undefined;
    });
    expect((await ask("GET")).status).toBe(404);
    expect((await ask("PUT", Buffer.alloc(300_000))).status).toBe(403);
    expect([words, started, bridge.counts().misses]).toEqual([[], 1, 0]);
  });

  it("ends a server that is not used, and starts it again when it is", async () => {
    let started = 0;
    let stopped = 0;
    const { ask, bridge } = await opened(
      async () => {
        started += 1;
        const target = await upstream(answering(404));
        return { ...target, stop: async () => void (stopped += 1) };
      },
      { unusedMs: 50 },
    );
    await ask("GET");
    await expect.poll(() => stopped).toBe(1);
    expect((await ask("PUT", Buffer.from("bytes"))).status).toBe(403);
    await bridge.close();
    expect([started, stopped]).toEqual([2, 2]);
  });

  it("tells how long tasks took, and nothing when there is nothing to tell", async () => {
    const told: string[] = [];
    const target = await upstream((request, response) => {
      request.on("data", (chunk: Buffer) => told.push(`${request.url} ${chunk.toString()}`));
      answering(204)(request, response);
    });
    const { bridge } = await opened(async () => target);
    await bridge.noteDurations({});
    await bridge.noteDurations({ "1": 20 });
    expect(told).toEqual(['/v1/durations {"1":20}']);
  });
});
