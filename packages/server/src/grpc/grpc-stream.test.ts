import { once } from "node:events";
import { connect, createServer, type ServerHttp2Stream } from "node:http2";
import { connect as connectSocket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { createByteBudget } from "./byte-budget.ts";
import { type GrpcStream, openGrpcStream } from "./grpc-stream.ts";

const idleMs = 100;
const opened: (() => void)[] = [];
afterEach(() => {
  for (const close of opened.splice(0)) close();
});

/** A server whose calls the test answers. */
async function start() {
  const calls: { readonly stream: ServerHttp2Stream; readonly call: GrpcStream }[] = [];
  const server = createServer();
  const none = createByteBudget(2 ** 30);
  server.on("sessionError", () => undefined);
  server.on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    const options = { maxMessageBytes: 1000, idleMs, requests: none, answers: none };
    calls.push({ stream, call: openGrpcStream(stream, headers, options) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(() => server.close());
  return { port: (server.address() as { readonly port: number }).port, calls };
}

/** A call whose client gives no room for more than the 64 KiB that HTTP/2 begins with, and reads its connection. */
function callUnread(port: number) {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => undefined);
  opened.push(() => session.destroy());
  const request = session.request({ ":method": "POST", "content-type": "application/grpc" });
  request.on("error", () => undefined);
  request.end();
  request.pause();
  return session;
}

const large = { parts: [Buffer.alloc(1024 * 1024)] };

describe("a client that does not read its answer", () => {
  it("is cut off, and nothing else on its connection", async () => {
    const { port, calls } = await start();
    const session = callUnread(port);
    await expect.poll(() => calls.length).toBe(1);
    const written = calls[0]?.call.write(large);
    await expect(written).rejects.toMatchObject({ status: "CANCELLED" });
    expect([calls[0]?.stream.destroyed, session.destroyed]).toEqual([true, false]);
  });

  it("is cut off also where the server was slow before", async () => {
    const { port, calls } = await start();
    callUnread(port);
    await expect.poll(() => calls.length).toBe(1);
    await delay(2 * idleMs);
    await expect(calls[0]?.call.write(large)).rejects.toMatchObject({ status: "CANCELLED" });
  });

  it("loses its connection where it reads nothing of that either, and what was not sent is not given back", async () => {
    const { port, calls } = await start();
    const socket = connectSocket(port, "127.0.0.1");
    socket.on("error", () => undefined);
    socket.pause();
    opened.push(() => socket.destroy());
    // SETTINGS with a window of 64 MiB, WINDOW_UPDATE by as much, and HEADERS of "POST /".
    const frames = [
      "000006040000000000000404000000",
      "00000408000000000004000000",
      "000006010500000001838684010178",
    ];
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(Buffer.from(frames.join(""), "hex"));
    await expect.poll(() => calls.length).toBe(1);
    let isGivenBack = false;
    const written = calls[0]?.call.write({
      parts: [Buffer.alloc(40 * 1024 * 1024)],
      onSent: () => (isGivenBack = true),
    });
    await expect(written).rejects.toMatchObject({ status: "CANCELLED" });
    expect(isGivenBack).toBe(false);
  });
});
