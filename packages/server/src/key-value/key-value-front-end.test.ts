import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  type Ask,
  breakableStore,
  damageBlobs,
  grant,
  type RunningServer,
  startServer,
} from "../../test/running-server.ts";

const grants = [
  grant("main"),
  grant("reader", { scopes: ["read"] }),
  grant("writer", { scopes: ["write"] }),
  grant("pull-request", { namespaces: ["pr-1"], readsThrough: ["main"] }),
];
const maxArtifactBytes = 3_000_000;
const key = "0123456789abcdef0123456789abcdef";
/** One path of each protocol that keeps opaque bytes. */
const paths = {
  gradle: `/gradle/${key}`,
  ccache: `/ccache/${key}`,
  pnpm: `/pnpm/v8/artifacts/${key}${key}`,
  sccache: `/sccache/0/1/2/${key}${key}`,
};

describe.each(Object.entries(paths))("/%s", (protocol, path) => {
  let server: RunningServer;
  const put = (body: Buffer | string, ask: Ask = {}, at = path) =>
    server.ask(at, { method: "PUT", token: "main", body, ...ask });
  const get = (ask: Ask = {}, at = path) => server.ask(at, { token: "main", ...ask });
  beforeAll(async () => {
    const access = { grants, anonymous: { namespaces: ["public"], scopes: ["read"] } } as const;
    server = await startServer({ access, maxArtifactBytes });
  });
  afterAll(() => server.stop());

  it("misses with 404, stores, gives back the same bytes, tells their length, deletes", async () => {
    expect((await get()).status).toBe(404);
    const bytes = randomBytes(2_500_000);
    expect((await put(bytes)).status).toBe(201);
    const got = await get();
    expect(got).toMatchObject({
      status: 200,
      headers: { "content-type": "application/octet-stream", "cache-control": "no-store" },
    });
    expect(got.body.equals(bytes)).toBe(true);
    const head = await get({ method: "HEAD" });
    expect(head).toMatchObject({ status: 200, headers: { "content-length": "2500000" } });
    expect(head.body).toHaveLength(0);
    expect((await get({ method: "DELETE", token: "reader" })).status).toBe(403);
    expect((await get({ method: "DELETE" })).status).toBe(204);
    expect((await get({ method: "DELETE" })).status).toBe(204);
    expect((await get()).status).toBe(404);
  });

  it("gives the last version, whole, while others write and read", async () => {
    const versions = Array.from({ length: 6 }, (_, index) => Buffer.alloc(200_000, index));
    await put(versions[0]!);
    const all = versions.map(async (version) => {
      await put(version);
      return (await get()).body;
    });
    for (const body of await Promise.all(all))
      expect(versions.some((version) => version.equals(body))).toBe(true);
    await put("last");
    expect((await get()).body.toString()).toBe("last");
  });

  it("takes the token as the password of Basic, and asks for it with 401", async () => {
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`who:${password}`).toString("base64")}`,
    });
    expect((await put("x", { token: undefined, headers: basic("main") })).status).toBe(201);
    for (const answer of [
      await put("y", { token: undefined, headers: basic("wrong") }),
      await put("y", { token: "unknown" }),
      await get({ token: "unknown" }),
      // Who reads without a token is known, and would need one to write.
      await put("y", { token: undefined }),
    ])
      expect(answer).toMatchObject({
        status: 401,
        headers: { "www-authenticate": expect.stringContaining("Basic") as string },
      });
    expect((await put("y", { token: "reader" })).status).toBe(403);
    expect((await get({ token: "reader" })).body.toString()).toBe("x");
    expect((await get({ token: undefined })).status).toBe(404);
  });

  it("has only misses for who may only write, as these clients write nothing after a refusal", async () => {
    expect((await put("writer's", { token: "writer" })).status).toBe(201);
    for (const method of ["GET", "HEAD"])
      expect((await get({ token: "writer", method })).status).toBe(404);
    expect((await get()).body.toString()).toBe("writer's");
  });

  it("lets a pull request read main's and never main a pull request's", async () => {
    await put("main's");
    expect((await get({ token: "pull-request" })).body.toString()).toBe("main's");
    await put("poison", { token: "pull-request" });
    expect((await get({ token: "pull-request" })).body.toString()).toBe("poison");
    expect((await get()).body.toString()).toBe("main's");
    await get({ method: "DELETE", token: "pull-request" });
    expect((await get({ token: "pull-request" })).body.toString()).toBe("main's");
  });

  it("refuses what it does not store before it reads it", async () => {
    await put("before");
    expect((await put(Buffer.alloc(maxArtifactBytes + 1))).status).toBe(413);
    expect((await put("x", { headers: { "content-encoding": "gzip" } })).status).toBe(415);
    const answer = await raw(server.port, [
      `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer main\r\n`,
      "transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
    ]);
    expect(answer).toMatch(/^HTTP\/1.1 411 /);
    expect((await get({ method: "POST" })).status).toBe(405);
    expect((await get()).body.toString()).toBe("before");
  });

  it("keeps nothing of an upload that ends early", async () => {
    await put("before");
    const head = `PUT ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer main\r\n`;
    await raw(server.port, [`${head}content-length: 1000\r\n\r\n`, "only this"]);
    expect((await get()).body.toString()).toBe("before");
  });

  it("never leaves the store by a name, and takes none for another", async () => {
    await put("secret");
    const before = readdirSync(join(server.root, ".."));
    for (const name of [
      "",
      "..",
      "%2e%2e",
      "..%2f..%2fetc",
      `..%2f${protocol}%2f${key}`,
      `${key}%00`,
      `${key}%2f`,
      "%ff",
      "%",
      "KEY",
      key.toUpperCase(),
      `${key}.`,
      `a/b/c/${key}/x`,
      "0".repeat(2000),
      "x".repeat(9000),
      `${"a/".repeat(40)}x`,
    ]) {
      for (const method of ["GET", "PUT", "DELETE"]) {
        const answer = await server.ask(`/${protocol}/${name}`, {
          method,
          token: "main",
          ...(method === "PUT" ? { body: "x" } : {}),
        });
        expect([400, 404], `${method} ${name.slice(0, 50)}`).toContain(answer.status);
        expect(answer.body.toString()).not.toBe("secret");
      }
    }
    expect(readdirSync(join(server.root, ".."))).toEqual(before);
    expect((await get()).body.toString()).toBe("secret");
  });

  it("has names of its own: another protocol's of the same key is another artifact", async () => {
    await put("mine");
    for (const other of Object.values(paths).filter((each) => each !== path))
      expect((await get({}, other)).body.toString()).not.toBe("mine");
  });
});

describe.each(Object.values(paths))("a store that fails under %s", (path) => {
  let server: RunningServer;
  afterEach(() => server.stop());

  it("is 503, never a miss, and is told to whoever runs the server", async () => {
    const store = breakableStore();
    server = await startServer({ wrapBlobs: store.wrapBlobs });
    await server.ask(path, { method: "PUT", body: "x" });
    store.isBroken = true;
    expect((await server.ask(path)).status).toBe(503);
    expect((await server.ask(path, { method: "PUT", body: "y" })).status).toBe(503);
    expect(server.troubles).toEqual(["EIO", "EIO"]);
    store.isBroken = false;
    expect((await server.ask(path)).body.toString()).toBe("x");
  });

  it("that damaged an artifact has a miss, never wrong bytes, and takes it again", async () => {
    server = await startServer();
    await server.ask(path, { method: "PUT", body: "right" });
    damageBlobs(server);
    expect((await server.ask(path)).status).toBe(404);
    await server.ask(path, { method: "PUT", body: "right" });
    expect((await server.ask(path)).body.toString()).toBe("right");
  });
});

/** Sends bytes as they are, half-closes, and gives what came back. */
function raw(port: number, parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      socket.destroy();
    });
    socket.on("close", () => resolve(Buffer.concat(chunks).toString()));
    socket.on("error", reject);
    for (const part of parts) socket.write(part);
    setTimeout(() => socket.end(), 200);
  });
}
