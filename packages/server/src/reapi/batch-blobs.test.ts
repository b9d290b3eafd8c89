import { hashBytes } from "@cuenv/digest";
import {
  Compressor_Value,
  ContentAddressableStorage as Cas,
  DigestFunction_Value,
} from "@cuenv/reapi/messages";
import { randomBytes } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { breakableStore, damageBlobs } from "../../test/running-server.ts";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";
import { presentMs } from "./presence-memory.ts";
import { maxBatchBytes } from "./reapi-options.ts";

let server: RunningGrpcServer;
beforeAll(async () => {
  server = await startGrpcServer();
});
afterAll(() => server.stop());

const digestOf = (bytes: Uint8Array, name: "sha256" | "blake3" = "sha256") => {
  const { hash, sizeBytes } = hashBytes(name, bytes);
  return { hash, sizeBytes: BigInt(sizeBytes) };
};
const empty = digestOf(new Uint8Array());
const update = (requests: object[], more = {}) =>
  server.client.call(Cas.method.batchUpdateBlobs, { requests, ...more });
const read = (digests: object[], more = {}) =>
  server.client.call(Cas.method.batchReadBlobs, { digests, ...more });
const missing = async (blobDigests: object[], more = {}) =>
  (await server.client.call(Cas.method.findMissingBlobs, { blobDigests, ...more }))
    .missingBlobDigests;
const codes = (responses: readonly { status?: { code: number } | undefined }[]) =>
  responses.map(({ status }) => status?.code ?? 0);

describe("a batch of blobs", () => {
  it("is stored, found and read, of either digest function, each in its own space", async () => {
    const blobs = [randomBytes(1), randomBytes(5000), randomBytes(100_000)];
    for (const name of ["sha256", "blake3"] as const) {
      const digestFunction =
        name === "sha256" ? DigestFunction_Value.SHA256 : DigestFunction_Value.BLAKE3;
      const digests = blobs.map((bytes) => digestOf(bytes, name));
      expect(await missing(digests, { digestFunction })).toMatchObject(digests);
      const requests = blobs.map((data, index) => ({ digest: digests[index], data }));
      const stored = await update(requests, { digestFunction });
      expect(codes(stored.responses)).toEqual([0, 0, 0]);
      expect(stored.responses.map(({ digest }) => digest)).toMatchObject(digests);
      expect(await missing(digests, { digestFunction })).toEqual([]);
      const { responses } = await read(digests, { digestFunction });
      expect(responses.map(({ data }) => Buffer.from(data))).toEqual(
        blobs.map((b) => Buffer.from(b)),
      );
    }
    const unknown = blobs.map((bytes) => digestOf(bytes));
    expect(await missing(unknown)).toEqual([]);
    expect(await missing(unknown, { digestFunction: DigestFunction_Value.BLAKE3 })).toHaveLength(3);
  });

  it("has a status for each: one with other bytes or another size is refused alone", async () => {
    const [good, bad] = [randomBytes(10), randomBytes(10)];
    const { responses } = await update([
      { digest: digestOf(good), data: good },
      { digest: digestOf(bad), data: good },
      { digest: { ...digestOf(good), sizeBytes: 9n }, data: good },
      { digest: { ...digestOf(bad), sizeBytes: 11n }, data: bad },
    ]);
    expect(codes(responses)).toEqual([0, 3, 3, 3]);
    expect(await missing([digestOf(good), digestOf(bad)])).toMatchObject([digestOf(bad)]);
    const found = await read([digestOf(good), digestOf(bad), { ...digestOf(good), sizeBytes: 9n }]);
    expect(codes(found.responses)).toEqual([0, 5, 5]);
  });

  it("names what is missing once, however often it is asked for, in the order of the question", async () => {
    const [one, two] = [digestOf(randomBytes(3)), digestOf(randomBytes(3))];
    expect(await missing([two, one, two, empty, one])).toMatchObject([two, one]);
  });

  it("always has the empty blob, which nobody stores", async () => {
    for (const digestFunction of [DigestFunction_Value.SHA256, DigestFunction_Value.BLAKE3]) {
      const name = digestFunction === DigestFunction_Value.SHA256 ? "sha256" : "blake3";
      const digest = digestOf(new Uint8Array(), name);
      expect(await missing([digest], { digestFunction })).toEqual([]);
      const { responses } = await read([digest], { digestFunction });
      expect(codes(responses)).toEqual([0]);
      const stored = await update([{ digest, data: new Uint8Array() }], { digestFunction });
      expect(codes(stored.responses)).toEqual([0]);
    }
    const wrong = { hash: "b".repeat(64), sizeBytes: 0n };
    expect(codes((await update([{ digest: wrong, data: new Uint8Array() }])).responses)).toEqual([
      3,
    ]);
    expect(codes((await read([wrong])).responses)).toEqual([5]);
  });

  it("travels compressed where both sides have it", async () => {
    const text = Buffer.from("compressible ".repeat(1000));
    const [frame, twice] = [zstdCompressSync(text), Buffer.concat([text, text])];
    const digest = digestOf(text);
    const compressor = Compressor_Value.ZSTD;
    const stored = await update([
      { digest, data: frame, compressor },
      { digest: digestOf(Buffer.from("x")), data: Buffer.from("no zstd"), compressor },
      { digest: { ...digest, sizeBytes: 5n }, data: zstdCompressSync(text), compressor },
      { digest, data: text, compressor: Compressor_Value.BROTLI },
      { digest: digestOf(twice), data: Buffer.concat([frame, frame]), compressor },
    ]);
    expect(codes(stored.responses)).toEqual([0, 3, 3, 3, 0]);
    const acceptableCompressors = [Compressor_Value.IDENTITY, compressor];
    const { responses } = await read([digest, digestOf(randomBytes(1))], { acceptableCompressors });
    expect(responses[0]?.compressor).toBe(compressor);
    expect(responses[0]?.data.length).toBeLessThan(1000);
    expect(zstdDecompressSync(responses[0]?.data ?? new Uint8Array()).equals(text)).toBe(true);
    expect((await read([digest])).responses[0]?.compressor).toBe(Compressor_Value.IDENTITY);
  });

  it("is refused as a whole when it is too large, or names what is no digest", async () => {
    const large = { hash: "c".repeat(64), sizeBytes: BigInt(maxBatchBytes + 1) };
    await expect(read([large])).rejects.toThrow("INVALID_ARGUMENT");
    await expect(update([{ digest: large, data: randomBytes(3) }])).rejects.toThrow(
      "INVALID_ARGUMENT",
    );
    for (const odd of [
      { hash: "", sizeBytes: 0n },
      { hash: "../x", sizeBytes: 1n },
      { hash: "A".repeat(64), sizeBytes: 1n },
      { hash: "a".repeat(64), sizeBytes: -1n },
      { hash: "a".repeat(128), sizeBytes: 1n },
    ]) {
      for (const refused of [read([odd]), update([{ digest: odd }]), missing([odd])])
        await expect(refused).rejects.toThrow("INVALID_ARGUMENT");
    }
    await expect(update([{ data: randomBytes(3) }])).rejects.toThrow("INVALID_ARGUMENT");
    await expect(missing([empty], { digestFunction: DigestFunction_Value.SHA1 })).rejects.toThrow(
      "SHA256, BLAKE3 are",
    );
  });

  it("takes a batch of the whole size, and gives it in a message that clients take", async () => {
    const data = randomBytes(maxBatchBytes);
    expect(codes((await update([{ digest: digestOf(data), data }])).responses)).toEqual([0]);
    const { responses } = await read([digestOf(data)]);
    expect(Buffer.from(responses[0]?.data ?? []).equals(data)).toBe(true);
  });

  it("tells what is gone as missing, at the latest when the moment is over for which it is believed", async () => {
    const data = randomBytes(10);
    await update([{ digest: digestOf(data), data }]);
    expect(await missing([digestOf(data)])).toEqual([]);
    const { rmSync } = await import("node:fs");
    const { hash } = digestOf(data);
    rmSync(`${server.root}/v1/cas/sha256/${hash.slice(0, 2)}/${hash}`);
    server.clock.now += presentMs + 1;
    expect(await missing([digestOf(data)])).toMatchObject([{ hash }]);
    await update([{ digest: digestOf(data), data }]);
    expect(await missing([digestOf(data)])).toEqual([]);
  });
});

describe("a disk that damages or refuses what is stored", () => {
  it("has misses until it is stored again, and never gives other bytes", async () => {
    const own = await startGrpcServer();
    try {
      const data = randomBytes(100);
      const digest = digestOf(data);
      const store = () =>
        own.client.call(Cas.method.batchUpdateBlobs, { requests: [{ digest, data }] });
      await store();
      damageBlobs(own);
      const found = await own.client.call(Cas.method.batchReadBlobs, { digests: [digest] });
      expect(codes(found.responses)).toEqual([5]);
      const { missingBlobDigests } = await own.client.call(Cas.method.findMissingBlobs, {
        blobDigests: [digest],
      });
      expect(missingBlobDigests).toHaveLength(1);
      await store();
      damageBlobs(own);
      await store();
      const again = await own.client.call(Cas.method.batchReadBlobs, { digests: [digest] });
      expect(codes(again.responses)).toEqual([0]);
    } finally {
      await own.stop();
    }
  });

  it("is UNAVAILABLE while the store fails, RESOURCE_EXHAUSTED while it is full, and works again", async () => {
    const broken = breakableStore();
    const own = await startGrpcServer({ wrapBlobs: broken.wrapBlobs });
    try {
      const data = randomBytes(10);
      const digest = digestOf(data);
      const store = () =>
        own.client.call(Cas.method.batchUpdateBlobs, { requests: [{ digest, data }] });
      broken.isBroken = true;
      expect(codes((await store()).responses)).toEqual([14]);
      broken.cause = Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      expect(codes((await store()).responses)).toEqual([8]);
      expect(own.troubles.length).toBeGreaterThan(0);
      await expect(
        own.client.call(Cas.method.findMissingBlobs, { blobDigests: [digest] }),
      ).resolves.toBeDefined();
      broken.isBroken = false;
      expect(codes((await store()).responses)).toEqual([0]);
    } finally {
      await own.stop();
    }
  });
});
