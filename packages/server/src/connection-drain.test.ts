import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { makeCertificates } from "../test/certificates.ts";
import { createOpenPolicy } from "./access-policy.ts";
import { createHttpServer, type HttpServerOptions } from "./http-server.ts";
import { metricDefinitions } from "./metric-definitions.ts";
import { createMetrics } from "./metrics.ts";

/** A server that leaves its answers to the test. */
async function start(options: Pick<HttpServerOptions, "tls" | "limits"> = {}) {
  const asked: ServerResponse[] = [];
  const server = createHttpServer({
    frontEnds: [
      {
        name: "any",
        route: () => ({ name: "any", handle: ({ response }) => void asked.push(response) }),
        fail: () => undefined,
      },
    ],
    policy: createOpenPolicy(),
    metrics: createMetrics(metricDefinitions),
    ...options,
  });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { server, port, asked };
}

const request = "GET /any HTTP/1.1\r\nhost: x\r\n\r\n";

/** All that came on a connection. */
function listen(port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  const chunks: Buffer[] = [];
  socket.on("data", (chunk) => chunks.push(chunk));
  socket.on("error", () => undefined);
  return { socket, closed: once(socket, "close"), came: () => Buffer.concat(chunks) };
}

describe("a server that is told to end", () => {
  it("sends the answer whole that its client has not read yet", async () => {
    const { server, port, asked } = await start();
    const { socket, closed, came } = listen(port);
    socket.write(request);
    await expect.poll(() => asked.length).toBe(1);
    socket.pause();
    // More than the kernel takes of it.
    const sizeBytes = 64 * 1024 * 1024;
    asked[0]?.end(Buffer.alloc(sizeBytes));
    await delay(50);
    const ended = server.close();
    await delay(50);
    socket.resume();
    await Promise.all([ended, closed]);
    expect(came().length).toBeGreaterThan(sizeBytes);
  });

  it("ends each connection with its last answer, however long its client would stay", async () => {
    const { server, port, asked } = await start();
    const [waiting, begun, idle] = [listen(port), listen(port), listen(port)];
    waiting.socket.write(request);
    begun.socket.write(request);
    await expect.poll(() => asked.length).toBe(2);
    asked[1]?.write("begun");
    idle.socket.write(request);
    await expect.poll(() => asked.length).toBe(3);
    asked[2]?.end();
    await expect.poll(() => idle.came().length).toBeGreaterThan(0);
    const ended = server.close();
    await idle.closed;
    for (const answer of asked.slice(0, 2)) answer.end("done");
    await Promise.all([waiting.closed, begun.closed]);
    for (const { came } of [waiting, begun]) expect(came().toString()).toContain("done");
    expect(waiting.came().toString().toLowerCase()).toContain("connection: close");
    await ended;
  });

  it("waits no longer than it may for a connection that never says a word of TLS", async () => {
    const certificates = await makeCertificates(["localhost"]);
    const tls = certificates.of("localhost");
    const { server, port } = await start({ tls, limits: { drainMs: 100 } });
    const { socket, closed } = listen(port);
    await once(socket, "connect");
    await Promise.all([server.close(), closed]);
    expect(socket.destroyed).toBe(true);
  });
});
