import { randomBytes } from "node:crypto";
import { create, toBinary } from "@bufbuild/protobuf";
import { type DigestFunction, emptyDigest, hashBytes } from "@cuenv/digest";
import { ActionResultSchema, TreeSchema } from "@cuenv/reapi/messages";
import { assert, property, uint8Array } from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Ask,
  countingStore,
  damageBlobs,
  grant,
  type RunningServer,
  startServer,
} from "../../test/running-server.ts";
import { readActionResult, readTree } from "./named-contents.ts";

const grants = [
  grant("main"),
  grant("reader", { scopes: ["read"] }),
  grant("pull-request", { namespaces: ["pr-1"], readsThrough: ["main"] }),
  grant("other", { namespaces: ["other"] }),
];
let server: RunningServer;
const ask = (path: string, more: Ask = {}) => server.ask(path, { token: "main", ...more });
const put = (path: string, body: Buffer | string, more: Ask = {}) =>
  ask(path, { method: "PUT", body, ...more });
beforeAll(async () => {
  server = await startServer({ access: { grants }, maxArtifactBytes: 5_000_000 });
});
afterAll(() => server.stop());

function digestOf(bytes: Uint8Array, digestFunction: DigestFunction = "sha256") {
  const { hash, sizeBytes } = hashBytes(digestFunction, bytes);
  return { hash, sizeBytes: BigInt(sizeBytes) };
}

async function putContent(bytes: Buffer, more: Ask = {}) {
  const digest = digestOf(bytes);
  expect((await put(`/bazel/cas/${digest.hash}`, bytes, more)).status).toBe(201);
  return digest;
}

const newKey = (): string => randomBytes(32).toString("hex");

describe("/bazel/cas", () => {
  it.each(["sha256", "blake3"] as const)("gives back by its %s hash what was put", async (name) => {
    const bytes = randomBytes(3_000_000);
    const path = `/bazel/cas/${digestOf(bytes, name).hash}`;
    expect((await ask(path)).status).toBe(404);
    expect((await put(path, bytes)).status).toBe(201);
    expect((await put(path, bytes)).status).toBe(201);
    expect((await ask(path)).body.equals(bytes)).toBe(true);
    const head = await ask(path, { method: "HEAD" });
    expect(head).toMatchObject({ status: 200, headers: { "content-length": "3000000" } });
    expect(head.body).toHaveLength(0);
  });

  it("refuses what has another hash, and keeps what was there", async () => {
    const { hash } = await putContent(Buffer.from("right"));
    expect((await put(`/bazel/cas/${hash}`, "wrong")).status).toBe(400);
    expect((await ask(`/bazel/cas/${hash}`)).body.toString()).toBe("right");
    const absent = newKey();
    expect((await put(`/bazel/cas/${absent}`, "anything")).status).toBe(400);
    expect((await ask(`/bazel/cas/${absent}`)).status).toBe(404);
  });

  it("always has the empty content", async () => {
    for (const name of ["sha256", "blake3"] as const) {
      const got = await ask(`/bazel/cas/${emptyDigest(name).hash}`);
      expect(got.status).toBe(200);
      expect(got.body).toHaveLength(0);
    }
  });

  it("has one content for all instances of a namespace, and none for another namespace", async () => {
    const { hash } = await putContent(randomBytes(100));
    expect((await ask(`/bazel/team/a/cas/${hash}`)).status).toBe(200);
    expect((await ask(`/bazel/cas/${hash}`, { token: "other" })).status).toBe(404);
    expect((await ask(`/bazel/cas/${hash}`, { token: "pull-request" })).status).toBe(200);
    expect((await ask(`/bazel/cas/${hash}`, { token: "unknown" })).status).toBe(401);
    expect((await put(`/bazel/cas/${hash}`, "x", { token: "reader" })).status).toBe(403);
  });
});

describe("/bazel/ac", () => {
  async function resultOf(content: Buffer): Promise<Buffer> {
    const digest = await putContent(content);
    const result = create(ActionResultSchema, { outputFiles: [{ path: "out", digest }] });
    return Buffer.from(toBinary(ActionResultSchema, result));
  }

  it("gives back a result as it was put, of its instance only", async () => {
    const result = await resultOf(randomBytes(50));
    const key = newKey();
    expect((await put(`/bazel/team/a/ac/${key}`, result)).status).toBe(201);
    expect((await ask(`/bazel/team/a/ac/${key}`)).body.equals(result)).toBe(true);
    for (const path of [`/bazel/ac/${key}`, `/bazel/team/ac/${key}`, `/bazel/a/ac/${key}`])
      expect((await ask(path)).status).toBe(404);
    const head = await ask(`/bazel/team/a/ac/${key}`, { method: "HEAD" });
    expect(head.headers["content-length"]).toBe(String(result.length));
  });

  it("is a miss while anything that it names is absent: files, output, trees and what is in them", async () => {
    const [file, stdout, inTree, below] = [1, 2, 3, 4].map(() => randomBytes(20));
    const tree = Buffer.from(
      toBinary(
        TreeSchema,
        create(TreeSchema, {
          root: { files: [{ name: "a", digest: digestOf(inTree!) }] },
          children: [{ files: [{ name: "b", digest: digestOf(below!) }] }],
        }),
      ),
    );
    const result = create(ActionResultSchema, {
      outputFiles: [
        { path: "out", digest: digestOf(file!) },
        { path: "empty", digest: digestOf(Buffer.alloc(0)) },
      ],
      outputDirectories: [{ path: "dir", treeDigest: digestOf(tree) }],
      stdoutDigest: digestOf(stdout!),
    });
    const path = `/bazel/ac/${newKey()}`;
    await put(path, Buffer.from(toBinary(ActionResultSchema, result)));
    for (const content of [file!, stdout!, tree, inTree!, below!]) {
      expect((await ask(path)).status).toBe(404);
      await putContent(content);
    }
    expect((await ask(path)).status).toBe(200);
  });

  it("is a miss when it tells another length than the content has", async () => {
    const { hash } = await putContent(randomBytes(10));
    const digest = { hash, sizeBytes: 11n };
    const result = create(ActionResultSchema, { outputFiles: [{ path: "out", digest }] });
    const path = `/bazel/ac/${newKey()}`;
    await put(path, Buffer.from(toBinary(ActionResultSchema, result)));
    expect((await ask(path)).status).toBe(404);
  });

  it("gives a pull request main's result with main's contents, and main nothing of it", async () => {
    const path = `/bazel/ac/${newKey()}`;
    const result = await resultOf(randomBytes(10));
    await put(path, result);
    expect((await ask(path, { token: "pull-request" })).body.equals(result)).toBe(true);
    const poison = create(ActionResultSchema, { exitCode: 1 });
    const token = "pull-request";
    await put(path, Buffer.from(toBinary(ActionResultSchema, poison)), { token });
    expect((await ask(path)).body.equals(result)).toBe(true);
  });

  it.each<[string, Buffer]>([
    ["text", Buffer.from("nonsense")],
    ["nothing", Buffer.alloc(0)],
    ["more messages than fit into memory", Buffer.alloc(2 * 2_000_001, Uint8Array.of(0x12, 0))],
    [
      "a hash that is a path",
      Buffer.from(
        toBinary(
          ActionResultSchema,
          create(ActionResultSchema, {
            outputFiles: [{ path: "o", digest: { hash: "../../x", sizeBytes: 1n } }],
          }),
        ),
      ),
    ],
  ])("refuses %s", async (_, body) => {
    const path = `/bazel/ac/${newKey()}`;
    expect((await put(path, body)).status).toBe(400);
    expect((await ask(path)).status).toBe(404);
  });

  it("reads any bytes without failing", () => {
    assert(
      property(uint8Array({ maxLength: 200 }), (bytes) => {
        for (const read of [readActionResult, readTree]) expect(() => read(bytes)).not.toThrow();
      }),
    );
  });
});

describe("a result with very many outputs", () => {
  it("is looked through in pieces, between which others get a turn", async () => {
    const store = countingStore();
    const own = await startServer({ wrapBlobs: store.wrapBlobs });
    try {
      const contents = Array.from({ length: 200 }, (_, index) => Buffer.from(`content ${index}`));
      for (const body of contents)
        await own.ask(`/bazel/cas/${digestOf(body).hash}`, { method: "PUT", body });
      const outputFiles = contents.map((content, index) => ({
        path: `out/${index}`,
        digest: digestOf(content),
      }));
      const result = create(ActionResultSchema, { outputFiles });
      const path = `/bazel/ac/${newKey()}`;
      const body = Buffer.from(toBinary(ActionResultSchema, result));
      await own.ask(path, { method: "PUT", body });
      store.atAStretch = 0;
      expect((await own.ask(path)).status).toBe(200);
      expect(store.atAStretch).toBeGreaterThan(10);
      expect(store.atAStretch).toBeLessThan(100);
    } finally {
      await own.stop();
    }
  });
});

describe("a disk that damages what Bazel stored", () => {
  it("has misses, of results as of contents, until they are stored again", async () => {
    const own = await startServer();
    try {
      const content = Buffer.from("content");
      const digest = digestOf(content);
      const result = create(ActionResultSchema, { outputFiles: [{ path: "out", digest }] });
      const paths = { content: `/bazel/cas/${digest.hash}`, result: `/bazel/ac/${newKey()}` };
      const store = async () => {
        await own.ask(paths.content, { method: "PUT", body: content });
        const body = Buffer.from(toBinary(ActionResultSchema, result));
        await own.ask(paths.result, { method: "PUT", body });
      };
      const statuses = async () => [
        (await own.ask(paths.content)).status,
        (await own.ask(paths.result)).status,
      ];
      await store();
      expect(await statuses()).toEqual([200, 200]);
      damageBlobs(own);
      expect(await statuses()).toEqual([404, 404]);
      await store();
      expect(await statuses()).toEqual([200, 200]);
      // Stored again before anybody read it.
      damageBlobs(own);
      await store();
      expect(await statuses()).toEqual([200, 200]);
      expect(own.troubles).toEqual([]);
    } finally {
      await own.stop();
    }
  });
});

describe("hostile paths below /bazel", () => {
  it("are no path of the cache, and never a 500", async () => {
    const key = newKey();
    for (const path of [
      "/bazel",
      "/bazel/ac",
      `/bazel/ac/${key}/x`,
      `/bazel/ac/${key.toUpperCase()}X`,
      `/bazel/ac/${key.slice(1)}`,
      `/bazel/../ac/${key}`,
      `/bazel/%2e%2e/ac/${key}`,
      `/bazel/a%2fb/ac/${key}`,
      `/bazel/a%00/ac/${key}`,
      `/bazel/x/${key}`,
      `/bazel/${"a/".repeat(20)}ac/${key}`,
      `/bazel/${"a".repeat(200)}/ac/${key}`,
    ]) {
      expect([400, 404], path).toContain((await ask(path)).status);
      expect((await put(path, "x")).status, path).toBe(400);
    }
    expect((await ask(`/bazel/ac/${key}`, { method: "DELETE" })).status).toBe(405);
    const large = Buffer.alloc(5_000_001);
    expect((await put(`/bazel/cas/${digestOf(large).hash}`, large)).status).toBe(413);
  });
});
