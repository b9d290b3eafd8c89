import { existsSync, readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer, token } from "../test/running-server.ts";

let server: RunningServer;
/** As `server`, and soon out of patience. */
let impatient: RunningServer;
beforeAll(async () => {
  const start = (windowMs: number) =>
    startServer({
      maxArtifactBytes: 1024 * 1024,
      limits: { unwantedMs: 200, sender: { windowMs, windowBytes: 1000 } },
    });
  [server, impatient] = await Promise.all([start(5000), start(100)]);
});
afterAll(async () => {
  await Promise.all([server.stop(), impatient.stop()]);
});

/** A connection of our own, and all that came on it. */
function connection({ port } = server): {
  readonly socket: Socket;
  readonly text: () => string;
  readonly ended: Promise<string>;
} {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  const ended = new Promise<string>((resolve) => socket.on("close", () => resolve(text)));
  return { socket, text: () => text, ended };
}

function head(method: string, path: string, ...lines: readonly string[]): string {
  const all = [`${method} ${path} HTTP/1.1`, "host: x", `authorization: Bearer ${token}`, ...lines];
  return `${all.join("\r\n")}\r\n\r\n`;
}

const artifact = (name: string): string => `/v8/artifacts/${name}?slug=acme`;
const expecting = "expect: 100-continue";

/** What uploads in the making have on the disk. */
function temporaryFiles(): readonly string[] {
  const folder = join(impatient.root, "v1", "tmp");
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((own) => readdirSync(join(folder, own)));
}

/** Sends a line again and again, until nobody takes it any more. */
function dribble(socket: Socket, bytes: string, everyMs: number): void {
  const timer = setInterval(() => {
    if (socket.destroyed || !socket.writable) clearInterval(timer);
    else socket.write(bytes);
  }, everyMs);
}

describe("who asks before it sends a body (Expect: 100-continue)", () => {
  it("is told to go on, and has its upload taken, with another request behind it", async () => {
    const { socket, text } = connection();
    socket.write(head("PUT", artifact("asked"), "content-length: 5", expecting));
    await expect.poll(text).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write("hello");
    await expect.poll(text).toMatch(/^HTTP\/1\.1 202 /m);
    socket.write(head("GET", artifact("asked")));
    await expect.poll(text).toMatch(/HTTP\/1\.1 200 [^]*hello$/);
    socket.destroy();
  });

  it.each([
    ["an artifact that is too large", "PUT", artifact("x"), 413, ["content-length: 9999999"]],
    ["one without a length", "PUT", artifact("x"), 411, ["transfer-encoding: chunked"]],
    ["an odd header", "PUT", artifact("x"), 400, ["content-length: 5", "x-artifact-tag: !"]],
    [
      "another's token",
      "PUT",
      artifact("x"),
      403,
      ["content-length: 5", "authorization: Bearer x"],
    ],
    ["no such path", "POST", "/nowhere", 404, ["content-length: 5"]],
    ["no such method", "PATCH", artifact("x"), 405, ["content-length: 5"]],
    ["a body that is not read", "GET", artifact("none"), 404, ["content-length: 5"]],
  ])("is refused without its body, and the connection ends: %s", async (...row) => {
    const [, method, path, status, lines] = row;
    const { socket, ended } = connection();
    const own = lines.some((line) => line.startsWith("authorization"));
    const request = head(method, path, ...lines, expecting);
    socket.write(own ? request.replace(`authorization: Bearer ${token}\r\n`, "") : request);
    const text = await ended;
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(text.toLowerCase()).toContain("\r\nconnection: close\r\n");
    expect(text).not.toContain("100 Continue");
  });
});

describe("a body that comes too slowly", () => {
  it.each(["stands still", "dribbles"])("and %s ends with 408, and leaves nothing", async (how) => {
    const { socket, ended } = connection(impatient);
    socket.write(`${head("PUT", artifact("slow"), "content-length: 100000")}some bytes`);
    if (how === "dribbles") dribble(socket, "xxxxx", 20);
    expect(await ended).toMatch(/^HTTP\/1\.1 408 /);
    expect((await impatient.ask(artifact("slow"))).status).toBe(404);
    await expect.poll(temporaryFiles).toEqual([]);
    expect((await impatient.ask("/metrics")).body.toString()).toMatch(
      /route="put",status="408"\} [12]/,
    );
  });

  it("is another's than one that comes steadily, however long it takes", async () => {
    const { socket, text } = connection();
    socket.write(head("PUT", artifact("steady"), "content-length: 20000"));
    // Longer than a window.
    for (let sent = 0; sent < 20; sent += 1) {
      socket.write("x".repeat(1000));
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
    await expect.poll(text).toMatch(/^HTTP\/1\.1 202 /);
    socket.destroy();
  });
});

describe("a body without an end", () => {
  it("is read no further than a list may be long", async () => {
    const { socket, ended } = connection();
    socket.write(head("POST", "/v8/artifacts/events?slug=acme", "transfer-encoding: chunked"));
    const chunk = `10000\r\n${"x".repeat(65_536)}\r\n`;
    dribble(socket, chunk.repeat(20), 1);
    expect(await ended).toMatch(/^HTTP\/1\.1 400 /);
  });

  it("that nobody wants ends with its connection, soon after the answer", async () => {
    const { socket, ended } = connection();
    socket.write(head("PUT", "/nowhere", "transfer-encoding: chunked"));
    dribble(socket, `400\r\n${"x".repeat(1024)}\r\n`, 1);
    expect(await ended).toMatch(/^HTTP\/1\.1 404 /);
  });
});

describe("who closes the connection after the answer, and still sends", () => {
  it.each([
    ["HTTP/1.1", "connection: close"],
    ["HTTP/1.0", "accept: */*"],
  ])("has the whole answer all the same, and the connection ends: %s, %s", async (...row) => {
    const [version, line] = row;
    // With the usual patience: a busy machine takes its time for the rest.
    const own = await startServer({ maxArtifactBytes: 1024 * 1024 });
    try {
      const { socket, ended } = connection(own);
      // As a proxy that first sends, and then reads.
      socket.pause();
      const request = head("PUT", artifact("x"), "content-length: 30000000", line);
      socket.write(request.replace("HTTP/1.1", version));
      await new Promise((resolve) => socket.write(Buffer.alloc(30_000_000), resolve));
      socket.resume();
      expect(await ended).toMatch(/^HTTP\/1\.1 413 [^]*"too_large"[^]*\}$/);
    } finally {
      await own.stop();
    }
  });

  it("is cut off when it never comes to an end", async () => {
    const { socket, ended } = connection();
    socket.write(head("PUT", artifact("x"), "transfer-encoding: chunked", "connection: close"));
    dribble(socket, `400\r\n${"x".repeat(1024)}\r\n`, 1);
    expect(await ended).toMatch(/^HTTP\/1\.1 411 /);
  });
});

describe("who sends requests without waiting for answers", () => {
  it("gets them in order, of what those before have stored", async () => {
    const { socket, ended } = connection();
    const put = `${head("PUT", artifact("piped"), "content-length: 5")}hello`;
    const get = head("GET", artifact("piped"));
    socket.write(`${put}${get}${put}${head("GET", artifact("piped"), "connection: close")}`);
    expect([...(await ended).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      "202",
      "200",
      "202",
      "200",
    ]);
  });

  it("has no more read for it than the answers that it reads, and nothing when it is gone", async () => {
    let read = 0;
    const own = await startServer({
      wrapBlobs: (blobs) => ({
        ...blobs,
        readSync: (...args) => {
          read += 1;
          return blobs.readSync?.(...args);
        },
      }),
    });
    try {
      const body = Buffer.alloc(2 * 1024 * 1024, 1);
      await own.ask(artifact("large"), { method: "PUT", body });
      const { socket, ended } = connection(own);
      socket.pause();
      socket.write(head("GET", artifact("large")).repeat(100));
      await expect.poll(() => read).toBeGreaterThan(0);
      await own.ask(artifact("none"));
      expect(read).toBeLessThan(30);
      socket.destroy();
      await ended;
      await own.ask(artifact("none"));
      expect(read).toBeLessThan(30);
    } finally {
      await own.stop();
    }
  });
});

describe("a web page", () => {
  it.each(["https://page.example", "http://127.0.0.1:8484", "null"])(
    "of %s stores and removes nothing, though whoever looks at it may",
    async (origin) => {
      const key = "0123456789abcdef".repeat(2);
      for (const path of [artifact("paged"), `/ccache/${key}`, "/v1/cache/paged"]) {
        const put = { method: "PUT", body: "poison", headers: { origin } };
        expect((await server.ask(path, put)).status).toBe(403);
        expect((await server.ask(path)).status).toBe(404);
      }
      const path = `/ccache/${"f".repeat(32)}`;
      await server.ask(path, { method: "PUT", body: "kept" });
      expect((await server.ask(path, { method: "DELETE", headers: { origin } })).status).toBe(403);
      expect((await server.ask(path, { headers: { origin } })).body.toString()).toBe("kept");
    },
  );
});
