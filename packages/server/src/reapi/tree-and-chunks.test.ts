import { create, toBinary } from "@bufbuild/protobuf";
import { hashBytes } from "@cuenv/digest";
import {
  ActionCache,
  ChunkingFunction_Value,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
  DirectorySchema,
} from "@cuenv/reapi/messages";
import { createHash, randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";
import { countingStore } from "../../test/running-server.ts";

let server: RunningGrpcServer;
beforeAll(async () => {
  server = await startGrpcServer();
});
afterAll(() => server.stop());

const digestOf = (bytes: Uint8Array) => {
  const { hash, sizeBytes } = hashBytes("sha256", bytes);
  return { hash, sizeBytes: BigInt(sizeBytes) };
};
const put = async (...contents: Uint8Array[]) => {
  const requests = contents.map((data) => ({
    digest: digestOf(data),
    data: Uint8Array.from(data),
  }));
  await server.client.call(Cas.method.batchUpdateBlobs, { requests });
};
const directory = (files: string[], directories: [string, Uint8Array][] = []) =>
  toBinary(
    DirectorySchema,
    create(DirectorySchema, {
      files: files.map((name) => ({ name, digest: digestOf(Buffer.from(name)) })),
      directories: directories.map(([name, bytes]) => ({ name, digest: digestOf(bytes) })),
    }),
  );

describe("a tree", () => {
  const leaf = directory(["leaf"]);
  const twice = directory(["twice"], [["leaf", leaf]]);
  const root = directory(
    ["top"],
    [
      ["a", twice],
      ["b", twice],
      ["c", leaf],
    ],
  );
  const get = (more: object) =>
    server.client.stream(Cas.method.getTree, { rootDigest: digestOf(root), ...more });

  it("is NOT_FOUND without its root, and lacks what is not there", async () => {
    await expect(get({})).rejects.toThrow("NOT_FOUND");
    await put(root, leaf);
    const names = async () =>
      (await get({})).flatMap(({ directories }) => directories.map(({ files }) => files[0]?.name));
    expect(await names()).toEqual(["top", "leaf"]);
    await put(twice);
    expect(await names()).toEqual(["top", "twice", "leaf"]);
  });

  it("is refused, alone and in a result, before it takes the memory of too many directories", async () => {
    const half = Buffer.alloc(2 * 1_000_001, Uint8Array.of(0x12, 0));
    const rootDigest = digestOf(Buffer.concat([half, half]));
    await put(half);
    const chunkDigests = [digestOf(half), digestOf(half)];
    await server.client.call(Cas.method.spliceBlob, { blobDigest: rootDigest, chunkDigests });
    await expect(get({ rootDigest })).rejects.toThrow("INVALID_ARGUMENT");
    const outputDirectories = [{ path: "dir", treeDigest: rootDigest }];
    const asked = { actionDigest: digestOf(half), actionResult: { outputDirectories } };
    await expect(server.client.call(ActionCache.method.updateActionResult, asked)).rejects.toThrow(
      "INVALID_ARGUMENT",
    );
  });

  it("of very many directories is walked in pieces, between which others get a turn", async () => {
    const store = countingStore();
    const own = await startGrpcServer({ wrapBlobs: store.wrapBlobs });
    try {
      const leaves = Array.from({ length: 200 }, (_, index) => directory([`leaf ${index}`]));
      const wide = directory(
        [],
        leaves.map((bytes, index) => [`${index}`, bytes]),
      );
      const requests = [wide, ...leaves].map((data) => ({ digest: digestOf(data), data }));
      await own.client.call(Cas.method.batchUpdateBlobs, { requests });
      const rootDigest = digestOf(wide);
      const outputDirectories = [{ path: "dir", rootDirectoryDigest: rootDigest }];
      const asked = { actionDigest: digestOf(leaf), actionResult: { outputDirectories } };
      const steps = [
        () => own.client.stream(Cas.method.getTree, { rootDigest }),
        () => own.client.call(ActionCache.method.updateActionResult, asked),
      ];
      for (const step of steps) {
        store.atAStretch = 0;
        await step();
        expect(store.atAStretch).toBeGreaterThan(10);
        expect(store.atAStretch).toBeLessThan(100);
      }
    } finally {
      await own.stop();
    }
  });

  it("comes in pages, and from any of them on", async () => {
    const pages = await get({ pageSize: 1 });
    expect(pages.map(({ directories }) => directories[0]?.files[0]?.name)).toEqual([
      "top",
      "twice",
      "leaf",
    ]);
    expect(pages.at(-1)?.nextPageToken).toBe("");
    const { nextPageToken: pageToken } = pages[0]!;
    const rest = await get({ pageToken });
    expect(rest.flatMap(({ directories }) => directories)).toHaveLength(2);
    for (const odd of [{ pageToken: "x" }, { pageToken: "-1" }, { pageSize: -1 }])
      await expect(get(odd)).rejects.toThrow("INVALID_ARGUMENT");
  });

  it("is refused when it is none", async () => {
    const bytes = randomBytes(100);
    await put(bytes);
    const rootDigest = digestOf(bytes);
    await expect(server.client.stream(Cas.method.getTree, { rootDigest })).rejects.toThrow(
      "INVALID_ARGUMENT",
    );
    await expect(server.client.stream(Cas.method.getTree, {})).rejects.toThrow("INVALID_ARGUMENT");
  });
});

describe("a blob in chunks", () => {
  const sequence = Buffer.concat(
    Array.from({ length: 120_000 }, (_, index) =>
      createHash("sha256").update(String(index)).digest(),
    ),
  ).subarray(0, 3_500_000);
  const split = (blobDigest: object, more = {}) =>
    server.client.call(Cas.method.splitBlob, { blobDigest, ...more });
  const splice = (blobDigest: object, chunkDigests: object[], more = {}) =>
    server.client.call(Cas.method.spliceBlob, { blobDigest, chunkDigests, ...more });

  it("is cut as every server of the protocol cuts it, into blobs that can be read", async () => {
    await put(sequence);
    const { chunkDigests, chunkingFunction } = await split(digestOf(sequence));
    expect(chunkingFunction).toBe(ChunkingFunction_Value.FAST_CDC_2020);
    // As in packages/cas/src/fast-cdc.test.ts: the cuts of the reference for the same bytes.
    expect(chunkDigests.map(({ sizeBytes }) => Number(sizeBytes)).slice(0, 5)).toEqual([
      665189, 617992, 549416, 551400, 537721,
    ]);
    const { responses } = await server.client.call(Cas.method.batchReadBlobs, {
      digests: chunkDigests,
    });
    expect(Buffer.concat(responses.map(({ data }) => data)).equals(sequence)).toBe(true);
    expect((await split(digestOf(sequence))).chunkDigests).toEqual(chunkDigests);
  });

  it("is NOT_FOUND to who asks for what is not there", async () => {
    await expect(split(digestOf(randomBytes(5)))).rejects.toThrow("NOT_FOUND");
    await expect(split({ hash: "x", sizeBytes: 1n })).rejects.toThrow("INVALID_ARGUMENT");
  });

  it("is made of chunks that are there, and is then what its digest says", async () => {
    const chunks = [randomBytes(100), randomBytes(3_000_000), randomBytes(1)];
    for (const chunk of chunks) await put(chunk);
    const whole = Buffer.concat(chunks);
    const answer = await splice(digestOf(whole), chunks.map(digestOf));
    expect(answer.blobDigest).toMatchObject(digestOf(whole));
    const blobDigests = [digestOf(whole)];
    const found = await server.client.call(Cas.method.findMissingBlobs, { blobDigests });
    expect(found.missingBlobDigests).toEqual([]);
    await splice(digestOf(whole), chunks.map(digestOf));
  });

  it("is refused: other bytes, a missing or empty chunk, sizes that do not add up, no chunk, another function", async () => {
    const [one, two] = [randomBytes(50), randomBytes(50)];
    await put(one, two);
    const whole = digestOf(Buffer.concat([one, two]));
    const chunks = [one, two].map(digestOf);
    await expect(splice(whole, chunks.toReversed())).rejects.toThrow("INVALID_ARGUMENT");
    await expect(splice(whole, [chunks[0]!, digestOf(randomBytes(50))])).rejects.toThrow(
      "NOT_FOUND",
    );
    const empty = digestOf(new Uint8Array());
    for (const odd of [
      [],
      [chunks[0]!],
      [...chunks, empty],
      [
        { ...chunks[0]!, sizeBytes: 2n ** 62n },
        { ...chunks[1]!, sizeBytes: 2n ** 62n },
      ],
    ])
      await expect(splice(whole, odd)).rejects.toThrow("INVALID_ARGUMENT");
    const digestFunction = DigestFunction_Value.SHA512;
    await expect(splice(whole, chunks, { digestFunction })).rejects.toThrow("INVALID_ARGUMENT");
    await splice(whole, chunks);
  });
});
