import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  breakableStore,
  startServer,
  token,
  type RunningServer,
} from "../../test/running-server.ts";

const hash = "c13082a5f3e03b6b";
function artifact(name: string, query = "?slug=acme"): string {
  return `/v8/artifacts/${name}${query}`;
}

describe("hostile and broken requests", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({ maxArtifactBytes: 10 * 1024 * 1024 });
  });
  afterAll(() => server.stop());

  it("5.2: never leave the store by a path, a team or a NUL, and are never a 500", async () => {
    await server.ask(artifact("secret", "?slug=other-team"), { method: "PUT", body: "secret" });
    const before = readdirSync(join(server.root, ".."));
    for (const path of [
      "/v8/artifacts/..%2Fother-team%2Fsecret?slug=acme",
      "/v8/artifacts/../other-team/secret?slug=acme",
      "/v8/artifacts/secret?slug=zz/../other-team",
      "/v8/artifacts/secret?slug=zz%2F..%2Fother-team",
      "/v8/artifacts/%00?slug=acme",
      "/v8/artifacts/a%00b?slug=acme",
      "/v8/artifacts/secret?slug=%00",
      "/v8/artifacts/%ff?slug=acme",
      "/v8/artifacts/%?slug=acme",
      `/v8/artifacts/${"a".repeat(129)}?slug=acme`,
      `/v8/artifacts/x?slug=${"a".repeat(300)}`,
      "/v8/artifacts/x?slug=..",
      `/${"a/".repeat(40)}v8/artifacts/x`,
      `/v8/artifacts/${"x".repeat(9000)}`,
      "*",
    ]) {
      for (const method of ["GET", "PUT"]) {
        const answer = await server.ask(path, {
          method,
          ...(method === "PUT" ? { body: "x" } : {}),
        });
        expect(answer.status, `${method} ${path.slice(0, 60)}`).toBeGreaterThanOrEqual(400);
        expect(answer.status, `${method} ${path.slice(0, 60)}`).toBeLessThan(500);
        expect(answer.body.toString()).not.toContain("secret\n");
      }
    }
    expect(readdirSync(join(server.root, ".."))).toEqual(before);
    expect((await server.ask(artifact("secret", "?slug=other-team"))).body.toString()).toBe(
      "secret",
    );
  });

  it("with an odd header are refused before their body is taken", async () => {
    for (const headers of [
      { "x-artifact-duration": "soon" },
      { "x-artifact-tag": "not base64!" },
      { "x-artifact-sha": "g".repeat(40) },
      { "x-artifact-dirty-hash": "x".repeat(129) },
    ] as Record<string, string>[])
      expect(
        (await server.ask(artifact("odd"), { method: "PUT", body: "x", headers })).status,
      ).toBe(400);
    expect((await server.ask(artifact("odd"))).status).toBe(404);
  });

  it("that are larger than the limit, or do not say how large, get 413 and 411 at once", async () => {
    const raw = (head: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(server.port, "127.0.0.1");
        let text = "";
        socket.on("error", reject);
        socket.on("data", (chunk) => {
          text += chunk.toString();
          socket.destroy();
          resolve(text);
        });
        socket.write(head);
      });
    const head = (length: string): string =>
      `PUT ${artifact("large")} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\n${length}\r\n\r\n`;
    expect(await raw(head("content-length: 99999999999"))).toMatch(/^HTTP\/1.1 413 /);
    expect(await raw(head("transfer-encoding: chunked"))).toMatch(/^HTTP\/1.1 411 /);
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(100_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1.1 431 /,
    );
    expect(await raw("nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400 /);
  });

  it("that end before their last byte publish nothing, and leave nothing behind", async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, "127.0.0.1");
      socket.on("close", () => resolve());
      socket.on("error", () => undefined);
      socket.write(
        `PUT ${artifact("cut")} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 5000000\r\n\r\n`,
      );
      socket.write(Buffer.alloc(3_000_000), () => setTimeout(() => socket.destroy(), 50));
    });
    await expect.poll(async () => (await server.ask(artifact("cut"))).status).toBe(404);
    const temporary = join(server.root, "v1", "tmp");
    await expect
      .poll(() => readdirSync(temporary).flatMap((own) => readdirSync(join(temporary, own))))
      .toEqual([]);
  });

  it("with bodies that are no list are refused", async () => {
    for (const body of ["", "{", "[]", '{"hashes":{}}', '{"hashes":[1]}', '{"hashes":["../x"]}'])
      expect((await server.ask("/v8/artifacts?slug=acme", { method: "POST", body })).status).toBe(
        400,
      );
    expect((await server.ask("/v8/artifacts/events", { method: "POST", body: "{" })).status).toBe(
      400,
    );
  });

  it("with another method are told which ones there are", async () => {
    const answer = await server.ask(artifact(hash), { method: "DELETE" });
    expect(answer).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, PUT" } });
    expect((await server.ask("/elsewhere")).status).toBe(404);
  });
});

describe("many at once", () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server.stop());

  /** Bytes that say whose they are: any mixture of two is found. */
  const bodyOf = (writer: number): Buffer => Buffer.alloc(450_000 + writer * 10_000, writer + 1);

  it("5.2: of six writers of one hash one wins whole, with its own headers", async () => {
    for (let round = 0; round < 6; round += 1) {
      const puts = await Promise.all(
        Array.from({ length: 6 }, (_, writer) =>
          server.ask(artifact("shared"), {
            method: "PUT",
            body: bodyOf(writer),
            headers: { "x-artifact-duration": String(writer) },
          }),
        ),
      );
      expect(puts.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202, 202]);
      const got = await server.ask(artifact("shared"));
      expect(got.body.equals(bodyOf(Number(got.headers["x-artifact-duration"])))).toBe(true);
    }
  });

  it("5.2: who reads while others overwrite gets one version whole", async () => {
    const state = { isOver: false };
    await server.ask(artifact("hot"), {
      method: "PUT",
      body: bodyOf(0),
      headers: { "x-artifact-duration": "0" },
    });
    const write = async (): Promise<void> => {
      for (let round = 0; round < 12; round += 1)
        await server.ask(artifact("hot"), {
          method: "PUT",
          body: bodyOf(round % 6),
          headers: { "x-artifact-duration": String(round % 6) },
        });
      state.isOver = true;
    };
    let reads = 0;
    const read = async (): Promise<void> => {
      while (!state.isOver) {
        const got = await server.ask(artifact("hot"));
        expect(got.status).toBe(200);
        expect(got.body.equals(bodyOf(Number(got.headers["x-artifact-duration"])))).toBe(true);
        reads += 1;
      }
    };
    await Promise.all([write(), read(), read()]);
    expect(reads).toBeGreaterThan(2);
  });
});

describe("a store that is damaged or fails", () => {
  let server: RunningServer;
  afterEach(() => server.stop());

  const blobFile = (body: Buffer): string => {
    const name = createHash("sha256").update(body).digest("hex");
    return join(server.root, "v1", "cas", "sha256", name.slice(0, 2), name);
  };

  it("gives no wrong byte of a small artifact: it is a miss, and can be put again", async () => {
    server = await startServer();
    const body = randomBytes(50_000);
    await server.ask(artifact(hash), { method: "PUT", body });
    const bytes = readFileSync(blobFile(body));
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    writeFileSync(blobFile(body), bytes);
    expect((await server.ask(artifact(hash))).status).toBe(404);
    await server.ask(artifact(hash), { method: "PUT", body });
    expect((await server.ask(artifact(hash))).body.equals(body)).toBe(true);
  });

  it("cuts a large artifact that turns out wrong before its last byte", async () => {
    server = await startServer();
    const body = randomBytes(9_000_000);
    await server.ask(artifact(hash), { method: "PUT", body });
    const bytes = readFileSync(blobFile(body));
    bytes.writeUInt8(bytes.readUInt8(7) ^ 1, 7);
    writeFileSync(blobFile(body), bytes);
    await expect(server.ask(artifact(hash))).rejects.toThrow("aborted");
    expect((await server.ask(artifact(hash))).status).toBe(404);
  });

  it("is unavailable, not a miss, when it cannot be asked", async () => {
    let isBroken = false;
    const fail = (): never => {
      throw Object.assign(new Error("no space left on device"), { code: "CAS_STORE_UNAVAILABLE" });
    };
    server = await startServer({
      wrapBlobs: (blobs) => ({
        ...blobs,
        missing: (...args) => (isBroken ? fail() : blobs.missing(...args)),
        ingest: async (source) => {
          if (!isBroken) return blobs.ingest(source);
          for await (const _ of source as AsyncIterable<Uint8Array>) fail();
          return fail();
        },
      }),
    });
    await server.ask(artifact(hash), { method: "PUT", body: "x" });
    isBroken = true;
    const get = await server.ask(artifact(hash));
    expect(get.status).toBe(503);
    expect(get.json()).toMatchObject({ error: { code: "unavailable" } });
    expect((await server.ask(artifact(hash), { method: "PUT", body: "x" })).status).toBe(503);
    expect(server.troubles).toEqual(["no space left on device", "no space left on device"]);
  });

  it("that is full takes no more, in words that end the client's uploads and not its reads", async () => {
    const store = breakableStore();
    store.cause = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    server = await startServer({ wrapBlobs: store.wrapBlobs });
    store.isBroken = true;
    const put = await server.ask(artifact(hash), { method: "PUT", body: "x" });
    expect(put.status).toBe(403);
    expect(put.json()).toMatchObject({ error: { code: "remote_caching_over_limit" } });
    expect((await server.ask(artifact("other"))).status).toBe(404);
    expect(server.troubles).toEqual(["ENOSPC"]);
  });
});
