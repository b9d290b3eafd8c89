import { randomBytes } from "node:crypto";
import { constants, createZstdCompress, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { createByteBudget } from "../grpc/byte-budget.ts";
import { decompressStream } from "./zstd.ts";
import { windowLogOf } from "./zstd-window.ts";

/** As a client compresses that does not know the size. */
async function streamed(bytes: Buffer, level: number): Promise<Buffer> {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const compress = createZstdCompress({ params });
  compress.write(bytes.subarray(0, 1));
  compress.end(bytes.subarray(1));
  return Buffer.concat((await compress.toArray()) as Buffer[]);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function decompressed(bytes: Buffer, maxBytes: number, size = 7): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of decompressStream(inPieces(bytes, size), createByteBudget(maxBytes)))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("the window of a frame of zstd", () => {
  it.each([
    [1, 19],
    [3, 21],
    [19, 23],
    [22, 27],
  ])("is what its level has, at level %i", async (level, log) => {
    expect(windowLogOf(await streamed(Buffer.alloc(100_000), level))).toBe(log);
  });

  it.each([0, 1, 255, 256, 300, 65_792, 70_000, 3_000_000])(
    "holds a frame that says its size, and is enough for it: %i",
    async (size) => {
      const bytes = randomBytes(size);
      const frame = zstdCompressSync(bytes);
      expect(2 ** windowLogOf(frame)).toBeGreaterThanOrEqual(Math.min(size, 2 ** 21));
      expect((await decompressed(frame, 4 * 1024 * 1024, 100_000)).equals(bytes)).toBe(true);
    },
  );

  it("is the largest of what cannot be told", () => {
    for (const head of ["", "28b5", "00112233445566778899", "28b52ffde0"])
      expect(windowLogOf(Buffer.from(head, "hex")), head).toBe(27);
  });
});

describe("zstd that is decompressed as it comes", () => {
  it("holds no more memory than all together may", async () => {
    const bytes = Buffer.from("some bytes ".repeat(20_000));
    const frame = await streamed(bytes, 22);
    await expect(decompressed(frame, 2 ** 27 - 1)).rejects.toMatchObject({ status: "UNAVAILABLE" });
    expect((await decompressed(frame, 2 ** 27, 1000)).equals(bytes)).toBe(true);
  });

  it("has no frame behind the first that needs more than that", async () => {
    const [small, large] = [
      await streamed(Buffer.alloc(2000), 1),
      await streamed(Buffer.alloc(2000), 22),
    ];
    const both = Buffer.concat([small, large]);
    await expect(decompressed(both, 2 ** 30)).rejects.toMatchObject({
      status: "INVALID_ARGUMENT",
      message: expect.stringContaining("window"),
    });
    await expect(decompressed(Buffer.alloc(100), 2 ** 30)).rejects.toMatchObject({
      message: "the data is not zstd",
    });
    expect(await decompressed(Buffer.concat([small, small]), 2 ** 30)).toHaveLength(4000);
  });
});
