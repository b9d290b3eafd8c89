import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { fastCdcChunks, type FastCdcSizes } from "./fast-cdc.ts";

/** The SHA-256 of "0", "1", "2" …, one after the other. */
function sequence(length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, index) =>
    createHash("sha256").update(String(index)).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size)
    yield bytes.subarray(start, start + size);
}

async function chunksOf(bytes: Buffer, sizes?: FastCdcSizes, piece = 1_000_000): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of fastCdcChunks(inPieces(bytes, piece), sizes)) chunks.push(chunk);
  return chunks;
}

const lengthsOf = async (bytes: Buffer, sizes?: FastCdcSizes, piece?: number): Promise<number[]> =>
  (await chunksOf(bytes, sizes, piece)).map(({ length }) => length);

const small = { averageBytes: 16 * 1024, minBytes: 4096, maxBytes: 65_535 };

// The lengths are those that the Rust crate fastcdc 3.2.1 (v2020, level 2) gives for the same bytes; it is what other servers use.
describe("FastCDC 2020", () => {
  it("cuts where its reference does, in chunks of 16 KiB on average", async () => {
    expect(await lengthsOf(sequence(300_001), small)).toEqual([
      17408, 28564, 17570, 14103, 22052, 16451, 13004, 16806, 21075, 18984, 9986, 17178, 16402,
      23826, 19503, 4441, 16440, 6208,
    ]);
  });

  it("cuts where its reference does, in chunks of 512 KiB on average", async () => {
    expect(await lengthsOf(sequence(9_000_001))).toEqual([
      665189, 617992, 549416, 551400, 537721, 529168, 884673, 594561, 544207, 725857, 378868,
      783339, 525419, 591853, 520338,
    ]);
    expect(await lengthsOf(Buffer.alloc(5_000_000))).toEqual([2097152, 2097152, 805696]);
    expect(await lengthsOf(sequence(131_072))).toEqual([131072]);
  });

  it("finds the same chunks again behind what was put in front", async () => {
    const once = sequence(3_000_000);
    expect(await lengthsOf(Buffer.concat([once, once]))).toEqual([
      665189, 617992, 549416, 551400, 537721, 743471, 617992, 549416, 551400, 537721, 78282,
    ]);
  });

  it("cuts alike however the bytes arrive, and gives them all back", async () => {
    const bytes = Buffer.concat([randomBytes(700_000), sequence(900_000)]);
    const whole = await chunksOf(bytes, small);
    expect(Buffer.concat(whole).equals(bytes)).toBe(true);
    const lengths = whole.map(({ length }) => length);
    for (const piece of [997, 4095, 65_536, 2_000_000])
      expect(await lengthsOf(bytes, small, piece)).toEqual(lengths);
    expect(await lengthsOf(Buffer.alloc(0))).toEqual([]);
  });
});
