import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { frame, raw, statusOf } from "../../test/raw-grpc.ts";
import type { GrpcMethod } from "./grpc-method.ts";
import {
  connectionWindowBytes,
  createGrpcServer,
  type GrpcServerOptions,
  streamWindowBytes,
} from "./grpc-server.ts";
import { GrpcError } from "./grpc-status.ts";

/** A server of a few methods that do what a test wants. */
async function startBare(
  methods: Record<string, GrpcMethod>,
  bounds: Partial<Pick<GrpcServerOptions, "maxMessageBytes" | "maxHeldBytes">> = {},
) {
  const troubles: string[] = [];
  const server = createGrpcServer({
    methods: new Map(Object.entries(methods)),
    maxMessageBytes: 1000,
    ...bounds,
    onTrouble: (message) => troubles.push(message),
    drainMs: 300,
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port, troubles };
}

const echo: GrpcMethod = { kind: "unary", handle: async (request) => [request] };

describe("the wire of gRPC", () => {
  let bare: Awaited<ReturnType<typeof startBare>>;
  beforeAll(async () => {
    bare = await startBare({
      "/t.T/Echo": echo,
      "/t.T/Fail": {
        kind: "unary",
        handle: () => Promise.reject(new GrpcError("FAILED_PRECONDITION", "schön: 100% \n")),
      },
      "/t.T/Bug": { kind: "unary", handle: () => Promise.reject(new Error("a secret path")) },
      "/t.T/Late": {
        kind: "serverStreaming",
        async *handle() {
          yield { parts: [Buffer.from("one")] };
          throw new GrpcError("DATA_LOSS", "broke");
        },
      },
    });
  });
  afterAll(() => bare.server.close());

  it("gives headers, a message and trailers", async () => {
    const answer = await raw(bare.port, "/t.T/Echo", frame(Buffer.from("hello")));
    expect(answer.headers[":status"]).toBe(200);
    expect(answer.headers["content-type"]).toBe("application/grpc+proto");
    expect(answer.body.equals(frame(Buffer.from("hello")))).toBe(true);
    expect(answer.trailers["grpc-status"]).toBe("0");
  });

  it("gives the status of a failure alone, its message in ASCII", async () => {
    const answer = await raw(bare.port, "/t.T/Fail", frame(Buffer.alloc(0)));
    expect(statusOf(answer)).toBe(9);
    expect(answer.headers["grpc-message"]).toBe("sch%C3%B6n: 100%25 %0A");
    const late = await raw(bare.port, "/t.T/Late", frame(Buffer.alloc(0)));
    expect([late.body.length, late.trailers["grpc-status"]]).toEqual([8, "15"]);
  });

  it("tells a client nothing of a bug, and whoever runs the server all of it", async () => {
    const answer = await raw(bare.port, "/t.T/Bug", frame(Buffer.alloc(0)));
    expect([statusOf(answer), answer.headers["grpc-message"]]).toEqual([13, "the server failed"]);
    expect(bare.troubles).toEqual(["/t.T/Bug failed: a secret path"]);
  });

  it("takes messages compressed with gzip, up to the limit of what they become", async () => {
    const small = frame(gzipSync("hello"), 1);
    const good = await raw(bare.port, "/t.T/Echo", small, { "grpc-encoding": "gzip" });
    expect(good.body.subarray(5).toString()).toBe("hello");
    const refused = await raw(bare.port, "/t.T/Echo", frame(gzipSync(Buffer.alloc(2000)), 1), {
      "grpc-encoding": "gzip",
    });
    expect(statusOf(refused)).toBe(8);
    expect(statusOf(await raw(bare.port, "/t.T/Echo", small, { "grpc-encoding": "snappy" }))).toBe(
      12,
    );
    const noGzip = frame(Buffer.from("no gzip"), 1);
    expect(statusOf(await raw(bare.port, "/t.T/Echo", noGzip, { "grpc-encoding": "gzip" }))).toBe(
      3,
    );
  });

  it.each<[string, Buffer, number]>([
    ["no message", Buffer.alloc(0), 3],
    ["two messages", Buffer.concat([frame(Buffer.from("a")), frame(Buffer.from("b"))]), 3],
    ["half a prefix", Buffer.from([0, 0]), 3],
    ["half a message", frame(Buffer.from("hello")).subarray(0, 7), 3],
    ["a message that is too long", frame(Buffer.alloc(1001)), 8],
    ["the length of one that is far too long", Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), 8],
  ])("refuses %s", async (_, body, status) => {
    expect(statusOf(await raw(bare.port, "/t.T/Echo", body))).toBe(status);
  });

  it("knows no other method, and no other content", async () => {
    expect(statusOf(await raw(bare.port, "/t.T/Other", frame(Buffer.alloc(1))))).toBe(12);
    const other = await raw(bare.port, "/t.T/Echo", frame(Buffer.alloc(1)), {
      "content-type": "text/html",
    });
    expect(other.headers[":status"]).toBe(415);
  });

  it("survives what is no HTTP/2, and streams that are reset at any moment", async () => {
    for (const junk of [
      "GET / HTTP/1.1\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\njunk",
      randomBytes(5000),
    ]) {
      const socket = connectSocket(bare.port, "127.0.0.1");
      socket.on("error", () => undefined);
      socket.resume();
      socket.write(junk);
      socket.end();
      await once(socket, "close");
    }
    const session = connect(`http://127.0.0.1:${bare.port}`);
    session.on("error", () => undefined);
    for (let index = 0; index < 100; index += 1) {
      const stream = session.request({
        ":method": "POST",
        ":path": "/t.T/Echo",
        "content-type": "application/grpc",
      });
      stream.on("error", () => undefined);
      stream.write(frame(Buffer.alloc(100)).subarray(0, index));
      stream.close(constants.NGHTTP2_CANCEL);
    }
    session.destroy();
    expect(statusOf(await raw(bare.port, "/t.T/Echo", frame(Buffer.from("x"))))).toBe(0);
  });
});

describe("the bounds of a call", () => {
  it("end it at the client's deadline, and tell the handler", async () => {
    const reasons: unknown[] = [];
    const { server, port } = await startBare({
      "/t.T/Hang": {
        kind: "unary",
        handle: (_, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener("abort", () => {
              reasons.push((signal.reason as GrpcError).status);
              reject(signal.reason as Error);
            });
          }),
      },
    });
    const answer = await raw(port, "/t.T/Hang", frame(Buffer.alloc(1)), { "grpc-timeout": "50m" });
    expect(statusOf(answer)).toBe(4);
    const gone = raw(port, "/t.T/Hang", (stream) => {
      stream.end(frame(Buffer.alloc(1)));
      setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 50);
    });
    await gone;
    await expect.poll(() => reasons).toEqual(["DEADLINE_EXCEEDED", "CANCELLED"]);
    const running = raw(port, "/t.T/Hang", frame(Buffer.alloc(1)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.close();
    await running;
    expect(reasons.at(-1)).toMatch(/CANCELLED|UNAVAILABLE/);
  });

  it("let calls that run come to their end when the server is told to end, and take no new ones", async () => {
    const { server, port } = await startBare({
      "/t.T/Slow": {
        kind: "unary",
        handle: async (request) => {
          await new Promise((resolve) => setTimeout(resolve, 150));
          return [request];
        },
      },
    });
    const running = raw(port, "/t.T/Slow", frame(Buffer.from("x")));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const closed = server.close();
    expect(statusOf(await running)).toBe(0);
    await closed;
    await expect(raw(port, "/t.T/Slow", frame(Buffer.from("x")))).rejects.toThrow("ECONNREFUSED");
  });

  it("let no client that keeps its connection keep the server from its end", async () => {
    const { server, port } = await startBare({ "/t.T/Echo": echo });
    const socket = connectSocket({ host: "127.0.0.1", port, allowHalfOpen: true });
    socket.on("error", () => undefined);
    const settings = once(socket, "data");
    socket.write(`PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${"\0".repeat(3)}\x04${"\0".repeat(5)}`);
    await settings;
    await expect(server.close()).resolves.toBeUndefined();
    socket.destroy();
  });

  it("let a client that reads slowly hold up its own stream, and no memory", async () => {
    let yielded = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const { server, port } = await startBare({
      "/t.T/Flood": {
        kind: "serverStreaming",
        async *handle() {
          for (; yielded < 1000; yielded += 1) yield { parts: [chunk] };
        },
      },
    });
    await raw(port, "/t.T/Flood", (stream) => {
      stream.pause();
      stream.end(frame(Buffer.alloc(1)));
      setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), 300);
    });
    expect(yielded).toBeLessThan(20);
    await server.close();
  });
});

describe("the memory of calls", () => {
  const large = 1024 * 1024;

  it("is bounded for messages that never come to their end, of streams as of single calls", async () => {
    const methods: Record<string, GrpcMethod> = {
      "/t.T/Echo": echo,
      "/t.T/Take": {
        kind: "clientStreaming",
        handle: async (requests) => {
          for await (const _ of requests);
          return [Buffer.from("taken")];
        },
      },
    };
    const { server, port } = await startBare(methods, {
      maxMessageBytes: 2 * large,
      maxHeldBytes: { requests: large, answers: large },
    });
    const begun = frame(Buffer.alloc(large)).subarray(0, large - 1000);
    for (const path of Object.keys(methods)) {
      const session = connect(`http://127.0.0.1:${port}`);
      const stream = session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
      });
      stream.on("error", () => undefined);
      stream.write(begun);
      const other = (): Promise<number> =>
        raw(port, "/t.T/Take", frame(Buffer.alloc(2000))).then(statusOf);
      await expect.poll(other, { timeout: 10_000 }).toBe(14);
      session.destroy();
      await expect.poll(other, { timeout: 10_000 }).toBe(0);
    }
    await server.close();
  });

  it("is bounded for answers that nobody reads", async () => {
    const { server, port } = await startBare(
      { "/t.T/Large": { kind: "unary", handle: async () => [Buffer.alloc(large)] } },
      { maxHeldBytes: { requests: large, answers: 2 * large } },
    );
    const session = connect(`http://127.0.0.1:${port}`, { settings: { initialWindowSize: 1 } });
    const stream = session.request({
      ":method": "POST",
      ":path": "/t.T/Large",
      "content-type": "application/grpc",
    });
    stream.on("error", () => undefined);
    stream.end(frame(Buffer.alloc(1)));
    await once(stream, "response");
    const other = (): Promise<number> =>
      raw(port, "/t.T/Large", frame(Buffer.alloc(1))).then(statusOf);
    expect(await other()).toBe(14);
    session.destroy();
    await expect.poll(other, { timeout: 10_000 }).toBe(0);
    await server.close();
  });

  it("is not given to who may not call: he is told so before his message is read", async () => {
    let read = 0;
    const { server, port } = await startBare({
      "/t.T/Closed": {
        kind: "unary",
        admit: () => Promise.reject(new GrpcError("UNAUTHENTICATED", "who?")),
        handle: async (request) => {
          read += 1;
          return [request];
        },
      },
      "/t.T/Small": { ...echo, maxMessageBytes: 10 },
    });
    const unfinished = await raw(port, "/t.T/Closed", (stream) => {
      stream.write(frame(Buffer.alloc(500)).subarray(0, 100));
      stream.once("response", () => stream.close(constants.NGHTTP2_CANCEL));
    });
    expect(statusOf(unfinished)).toBe(16);
    expect(statusOf(await raw(port, "/t.T/Small", frame(Buffer.alloc(11))))).toBe(8);
    expect(read).toBe(0);
    await server.close();
  });
});

describe("the windows of flow control", () => {
  it("are advertised for streams and for the connection, so that uploads do not crawl where round trips are long", async () => {
    const { server, port } = await startBare({ "/t.T/Echo": echo });
    const session = connect(`http://127.0.0.1:${port}`);
    const [settings] = (await once(session, "remoteSettings")) as [{ initialWindowSize: number }];
    expect(settings.initialWindowSize).toBe(streamWindowBytes);
    await expect.poll(() => session.state.remoteWindowSize).toBe(connectionWindowBytes);
    session.destroy();
    await server.close();
  });
});
