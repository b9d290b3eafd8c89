import { hashBytes } from "@cuenv/digest";
import { ByteStream, ContentAddressableStorage as Cas } from "@cuenv/reapi/messages";
import { randomBytes, randomUUID } from "node:crypto";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { damageBlobs } from "../../test/running-server.ts";
import { type RunningGrpcServer, startGrpcServer } from "../../test/running-grpc-server.ts";

const maxBlobBytes = 20_000_000;
let server: RunningGrpcServer;
beforeAll(async () => {
  server = await startGrpcServer({ maxBlobBytes });
});
afterAll(() => server.stop());

type Name = "sha256" | "blake3";
const hashOf = (bytes: Uint8Array, name: Name = "sha256") => hashBytes(name, bytes);
const nameOf = (bytes: Uint8Array, kind = "blobs", name: Name = "sha256") =>
  `${kind}/${name === "sha256" ? "" : `${name}/`}${hashOf(bytes, name).hash}/${bytes.length}`;
const uploadOf = (bytes: Uint8Array, kind = "blobs", name: Name = "sha256") =>
  `uploads/${randomUUID()}/${nameOf(bytes, kind, name)}`;
const zstd = "compressed-blobs/zstd";

/** The messages of an upload; `from`: where it goes on. */
function* pieces(resourceName: string, bytes: Uint8Array, size = 100_000, from = 0) {
  for (let start = from; ; start += size) {
    const data = bytes.subarray(start, start + size);
    const finishWrite = start + size >= bytes.length;
    yield {
      resourceName: start === from ? resourceName : "",
      writeOffset: BigInt(start),
      data,
      finishWrite,
    };
    if (finishWrite) return;
  }
}
const send = (requests: Parameters<typeof server.client.send>[1], more = {}) =>
  server.client.send(ByteStream.method.write, requests as Iterable<object>, more);
const write = async (bytes: Uint8Array, name = uploadOf(bytes)) =>
  Number((await send(pieces(name, bytes))).committedSize);
const read = async (resourceName: string, more = {}) => {
  const request = { resourceName, ...more };
  const answers = await server.client.stream(ByteStream.method.read, request);
  return Buffer.concat(answers.map(({ data }) => data));
};
const status = (resourceName: string) =>
  server.client.call(ByteStream.method.queryWriteStatus, { resourceName });
const isThere = async (bytes: Uint8Array) => {
  const { hash, sizeBytes } = hashOf(bytes);
  const blobDigests = [{ hash, sizeBytes: BigInt(sizeBytes) }];
  const found = await server.client.call(Cas.method.findMissingBlobs, { blobDigests });
  return found.missingBlobDigests.length === 0;
};

describe("a blob over ByteStream", () => {
  it.each([
    ["one byte", 1, "sha256"],
    ["some messages", 250_000, "sha256"],
    ["more than is read at once", 5_000_000, "sha256"],
    ["BLAKE3", 3_000_000, "blake3"],
  ] as const)("is read as it was written, plain and compressed: %s", async (_, size, name) => {
    const bytes = randomBytes(size);
    const resource = nameOf(bytes, "blobs", name);
    await expect(read(resource)).rejects.toThrow("NOT_FOUND");
    expect(await write(bytes, uploadOf(bytes, "blobs", name))).toBe(size);
    expect((await read(resource)).equals(bytes)).toBe(true);
    const compressed = await read(nameOf(bytes, zstd, name));
    expect(zstdDecompressSync(compressed).equals(bytes)).toBe(true);
  });

  it("is taken compressed, in any pieces, and answered with the bytes that travelled", async () => {
    const bytes = Buffer.concat([Buffer.from("compressible ".repeat(300_000)), randomBytes(9)]);
    const frame = zstdCompressSync(bytes);
    expect(Number((await send(pieces(uploadOf(bytes, zstd), frame, 999))).committedSize)).toBe(
      frame.length,
    );
    expect((await read(nameOf(bytes))).equals(bytes)).toBe(true);
    const again = await send(pieces(uploadOf(bytes, zstd), frame));
    expect(again.committedSize).toBe(-1n);
  });

  it("is taken in several frames of zstd, wherever they end", async () => {
    const bytes = randomBytes(700_000);
    const frames = [0, 300_000, 300_001].map((start, at, starts) =>
      zstdCompressSync(bytes.subarray(start, starts[at + 1])),
    );
    const { committedSize } = await send(pieces(uploadOf(bytes, zstd), Buffer.concat(frames)));
    expect(Number(committedSize)).toBe(Buffer.concat(frames).length);
    expect((await read(nameOf(bytes))).equals(bytes)).toBe(true);
  });

  it("has an instance before its name, and anything after its size", async () => {
    const bytes = randomBytes(300_000);
    await write(bytes, `team/linux/${uploadOf(bytes)}/some/path.o`);
    expect((await read(`team/linux/${nameOf(bytes)}`)).equals(bytes)).toBe(true);
    // Contents are the namespace's; what follows it keeps results apart.
    expect((await read(`team/${nameOf(bytes)}`)).equals(bytes)).toBe(true);
    await expect(read(nameOf(bytes))).rejects.toThrow("NOT_FOUND");
  });

  it("is there at once, empty, whatever the function and compression", async () => {
    const empty = Buffer.alloc(0);
    for (const name of ["sha256", "blake3"] as const) {
      expect(await read(nameOf(empty, "blobs", name))).toHaveLength(0);
      expect(zstdDecompressSync(await read(nameOf(empty, zstd, name)))).toHaveLength(0);
      expect(await write(empty, uploadOf(empty, "blobs", name))).toBe(0);
      const frame = zstdCompressSync(empty);
      const { committedSize } = await send(pieces(uploadOf(empty, zstd, name), frame));
      expect(committedSize).toBe(-1n);
    }
  });

  it("is read from an offset, to a limit", async () => {
    for (const size of [5000, 5_000_000]) {
      const bytes = randomBytes(size);
      await write(bytes);
      const name = nameOf(bytes);
      const half = BigInt(size / 2);
      expect((await read(name, { readOffset: half })).equals(bytes.subarray(size / 2))).toBe(true);
      const middle = await read(name, { readOffset: 7n, readLimit: 100n });
      expect(middle.equals(bytes.subarray(7, 107))).toBe(true);
      expect(await read(name, { readOffset: BigInt(size) })).toHaveLength(0);
      expect((await read(name, { readLimit: 1n << 40n })).equals(bytes)).toBe(true);
      const compressed = await read(nameOf(bytes, zstd), { readOffset: half });
      expect(zstdDecompressSync(compressed).equals(bytes.subarray(size / 2))).toBe(true);
      for (const range of [
        { readOffset: BigInt(size + 1) },
        { readOffset: -1n },
        { readLimit: -1n },
      ])
        await expect(read(name, range)).rejects.toThrow("OUT_OF_RANGE");
      await expect(read(nameOf(bytes, zstd), { readLimit: 5n })).rejects.toThrow(
        "INVALID_ARGUMENT",
      );
    }
  });

  it("is answered before all of it came when it is there already", async () => {
    const bytes = randomBytes(4_000_000);
    await write(bytes);
    let sent = 0;
    async function* slowly() {
      for (const piece of pieces(uploadOf(bytes), bytes, 10_000)) {
        sent += 1;
        yield piece;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
    expect(Number((await send(slowly())).committedSize)).toBe(bytes.length);
    expect(sent).toBeLessThan(400);
  });

  it("may end in a message without data", async () => {
    const bytes = randomBytes(200_000);
    const resourceName = uploadOf(bytes);
    const all = [...pieces(resourceName, bytes)].map((piece) => ({ ...piece, finishWrite: false }));
    const last = { resourceName, writeOffset: 200_000n, finishWrite: true };
    expect((await send([...all, last])).committedSize).toBe(200_000n);
    expect(await isThere(bytes)).toBe(true);
  });

  it.each<[string, (bytes: Buffer) => Record<string, unknown>[], string]>([
    ["other bytes", (b) => [...pieces(uploadOf(b), randomBytes(b.length))], "INVALID_ARGUMENT"],
    ["fewer bytes", (b) => [...pieces(uploadOf(b), b.subarray(1))], "INVALID_ARGUMENT"],
    ["more bytes", (b) => [...pieces(uploadOf(b), Buffer.concat([b, b]))], "OUT_OF_RANGE"],
    ["no zstd", (b) => [...pieces(uploadOf(b, zstd), b)], "INVALID_ARGUMENT"],
    [
      "zstd that is cut off",
      (b) => [...pieces(uploadOf(b, zstd), zstdCompressSync(b).subarray(0, 1000))],
      "INVALID_ARGUMENT",
    ],
    [
      "zstd of more bytes",
      (b) => [...pieces(uploadOf(b, zstd), zstdCompressSync(Buffer.alloc(30_000_000)))],
      "OUT_OF_RANGE",
    ],
    ["no message", () => [], "INVALID_ARGUMENT"],
    ["no name", (b) => [{ data: b, finishWrite: true }], "INVALID_ARGUMENT"],
    ["the name of a read", (b) => [...pieces(nameOf(b), b)], "INVALID_ARGUMENT"],
    [
      "another name within the stream",
      (b) => [...pieces(uploadOf(b), b)].map((piece) => ({ ...piece, resourceName: uploadOf(b) })),
      "INVALID_ARGUMENT",
    ],
    [
      "a gap between messages",
      (b) => [...pieces(uploadOf(b), b)].filter((_, index) => index !== 1),
      "INVALID_ARGUMENT",
    ],
    [
      "an offset that nothing was sent to",
      (b) => [...pieces(uploadOf(b), b, 100_000, 50)],
      "INVALID_ARGUMENT",
    ],
    ["a negative offset", (b) => [...pieces(uploadOf(b), b, 100_000, -10)], "INVALID_ARGUMENT"],
    [
      "a blob above the limit",
      (b) => [{ resourceName: `uploads/u/blobs/${hashOf(b).hash}/${maxBlobBytes + 1}`, data: b }],
      "INVALID_ARGUMENT",
    ],
    [
      "a hash that is a path",
      () => [{ resourceName: "uploads/u/blobs/../../x/3" }],
      "INVALID_ARGUMENT",
    ],
  ])("is refused, and leaves nothing behind: %s", async (_, requests, code) => {
    const bytes = randomBytes(400_000);
    await expect(send(requests(bytes))).rejects.toThrow(code);
    expect(await isThere(bytes)).toBe(false);
    expect(await write(bytes)).toBe(bytes.length);
  });

  it("must be named by the header as by the message, where the header is sent", async () => {
    const bytes = randomBytes(300);
    await write(bytes);
    const header = "build.bazel.remote.execution.v2.resource-name";
    const ask = (name: string) =>
      server.client.stream(
        ByteStream.method.read,
        { resourceName: nameOf(bytes) },
        { headers: { [header]: name } },
      );
    await expect(ask(nameOf(bytes))).resolves.toHaveLength(1);
    await expect(ask(nameOf(randomBytes(300)))).rejects.toThrow("INVALID_ARGUMENT");
  });
});

describe("an upload that breaks off", () => {
  const bytes = randomBytes(1_000_000);

  it("is resumed at the offset that QueryWriteStatus tells", async () => {
    const name = uploadOf(bytes);
    expect(await status(name)).toMatchObject({ committedSize: 0n, complete: false });
    const begun = [...pieces(name, bytes)].slice(0, 4);
    await expect(send(begun, { breakOff: true })).rejects.toThrow("CANCELLED");
    // What was under way when the connection broke may be lost.
    await expect.poll(async () => (await status(name)).committedSize).toBeGreaterThan(0n);
    const committed = Number((await status(name)).committedSize);
    expect(committed).toBeLessThan(1_000_000);
    expect(await isThere(bytes)).toBe(false);
    const rest = pieces(name, bytes, 100_000, committed);
    expect(Number((await send(rest)).committedSize)).toBe(1_000_000);
    expect(await status(name)).toMatchObject({ committedSize: 1_000_000n, complete: true });
    expect((await read(nameOf(bytes))).equals(bytes)).toBe(true);
  });

  it("is committed as far as it came when the client ends without finishing, and goes on", async () => {
    const other = randomBytes(500_000);
    const name = uploadOf(other);
    const begun = [...pieces(name, other)].slice(0, 2);
    expect((await send(begun)).committedSize).toBe(200_000n);
    expect(await isThere(other)).toBe(false);
    await send(pieces(name, other, 100_000, 200_000));
    expect(await isThere(other)).toBe(true);
  });

  it("is resumed compressed: a frame of the rest, from an offset of the blob", async () => {
    const other = randomBytes(600_000);
    const name = uploadOf(other, zstd);
    const first = zstdCompressSync(other.subarray(0, 300_000));
    await send([{ resourceName: name, data: first }]);
    expect((await status(name)).committedSize).toBe(300_000n);
    const rest = zstdCompressSync(other.subarray(300_000));
    await send([{ resourceName: name, writeOffset: 300_000n, data: rest, finishWrite: true }]);
    expect((await read(nameOf(other))).equals(other)).toBe(true);
  });

  it("may be begun anew, by the same name or another, at once or after its deadline", async () => {
    const other = randomBytes(500_000);
    const name = uploadOf(other);
    async function* stuck() {
      yield* [...pieces(name, other)].slice(0, 2);
      await new Promise((resolve) => setTimeout(resolve, 1500));
    }
    await expect(send(stuck(), { deadlineMs: 300 })).rejects.toThrow("DEADLINE_EXCEEDED");
    expect(await isThere(other)).toBe(false);
    expect(await write(other, name)).toBe(500_000);
  });

  it("gives way to the call that begins it anew", async () => {
    const other = randomBytes(500_000);
    const name = uploadOf(other);
    let goOn: () => void = () => undefined;
    async function* paused() {
      const [first, ...rest] = pieces(name, other);
      yield first!;
      await new Promise<void>((resolve) => void (goOn = resolve));
      yield* rest;
    }
    const old = send(paused());
    old.catch(() => undefined);
    await expect.poll(async () => (await status(name)).committedSize).toBe(100_000n);
    expect(await write(other, name)).toBe(500_000);
    goOn();
    await expect(old).rejects.toThrow("ABORTED");
    expect((await read(nameOf(other))).equals(other)).toBe(true);
  });
});

describe("a disk that damages large blobs", () => {
  it("has reads that end in NOT_FOUND before their last byte, then misses", async () => {
    const own = await startGrpcServer();
    try {
      const bytes = randomBytes(5_000_000);
      const requests = [...pieces(uploadOf(bytes), bytes, 1_000_000)];
      await own.client.send(ByteStream.method.write, requests);
      damageBlobs(own);
      const ask = () => own.client.stream(ByteStream.method.read, { resourceName: nameOf(bytes) });
      await expect(ask()).rejects.toThrow("NOT_FOUND");
      await expect(ask()).rejects.toThrow("NOT_FOUND");
      await own.client.send(ByteStream.method.write, requests);
      expect(Buffer.concat((await ask()).map(({ data }) => data)).equals(bytes)).toBe(true);
      expect(own.troubles).toEqual([]);
    } finally {
      await own.stop();
    }
  });
});
