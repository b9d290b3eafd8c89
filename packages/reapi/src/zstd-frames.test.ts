import * as fc from "fast-check";
import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decompressZstd } from "./decompress-zstd.ts";
import { splitZstdFrames, zstdFrames } from "./zstd-frames.ts";

interface Frame {
  readonly bytes: Buffer;
  readonly holds: Buffer;
}

function frame(holds: Buffer, hasChecksum: boolean): Frame {
  const params = { [constants.ZSTD_c_checksumFlag]: hasChecksum ? 1 : 0 };
  return { bytes: zstdCompressSync(holds, { params }), holds };
}

/** As a client writes that does not know the size: with a window in the header, and without the size. */
async function streamedFrame(holds: Buffer): Promise<Frame> {
  const compress = createZstdCompress();
  compress.write(holds.subarray(0, 1));
  compress.end(holds.subarray(1));
  return { bytes: Buffer.concat((await compress.toArray()) as Buffer[]), holds };
}

function skippable(length: number, kind: number): Frame {
  const bytes = Buffer.alloc(8 + length, 0x28);
  bytes.writeUInt32LE(0x18_4d_2a_50 + kind, 0);
  bytes.writeUInt32LE(length, 4);
  return { bytes, holds: Buffer.alloc(0) };
}

const holds = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.nat(300).map((length) => Buffer.alloc(length, 7)),
  fc.nat(300).map((length) => randomBytes(length)),
  fc.constantFrom(200_000, 300_000).map((length) => randomBytes(length)),
  fc.constant(Buffer.from("some text ".repeat(40_000))),
);
const frames = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.tuple(holds, fc.boolean()).map(([text, sum]) => frame(text, sum)) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.nat(40), fc.nat(15)).map(([n, kind]) => skippable(n, kind)),
    },
  ),
  { minLength: 1, maxLength: 5 },
);

async function* cut(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collected(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

function bytesOf(all: readonly Frame[]): Buffer {
  return Buffer.concat(all.map(({ bytes }) => bytes));
}

function heldBy(all: readonly Frame[]): Buffer {
  return Buffer.concat(all.map((each) => each.holds));
}

async function decompressed(bytes: Buffer, size: number): Promise<Buffer> {
  const stream = Readable.from(zstdFrames(cut(bytes, size))).pipe(createZstdDecompress());
  return Buffer.concat((await stream.toArray()) as Buffer[]);
}

describe("frames of zstd", () => {
  it("are told from each other, whatever they hold", () => {
    fc.assert(
      fc.property(frames, (all) => {
        const split = splitZstdFrames(bytesOf(all));
        expect(split.map((each) => each.length)).toEqual(all.map(({ bytes }) => bytes.length));
      }),
      { numRuns: 60 },
    );
  });

  it("are told from each other as they come, in pieces of any size, none of which is in two", async () => {
    const property = fc.asyncProperty(
      frames,
      fc.integer({ min: 1, max: 500 }),
      async (all, size) => {
        const bytes = bytesOf(all);
        // A piece for each byte of 300,000 shows nothing that one for each hundred does not.
        const pieces = await collected(
          zstdFrames(cut(bytes, bytes.length > 5000 ? size * 100 : size)),
        );
        expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
        const ends = new Set<number>();
        let at = 0;
        for (const piece of pieces) ends.add((at += piece.length));
        let end = 0;
        for (const each of all) expect(ends).toContain((end += each.bytes.length));
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("are all decompressed, one after the other: as they come, and as a whole", async () => {
    const text = Buffer.from("some text ".repeat(40_000));
    const lists = [
      [frame(Buffer.from("a"), true), frame(text, false)],
      [await streamedFrame(text), await streamedFrame(randomBytes(200_000)), frame(text, true)],
      [frame(Buffer.alloc(0), true), frame(Buffer.from("b"), false), frame(Buffer.alloc(0), false)],
      [skippable(5, 3), frame(text, true), skippable(0, 15), frame(Buffer.from("c"), true)],
    ];
    for (const all of lists) {
      const [bytes, expected] = [bytesOf(all), heldBy(all)];
      expect(Buffer.from(decompressZstd(bytes, expected.length)).equals(expected)).toBe(true);
      for (const size of [7, 1000, bytes.length])
        expect((await decompressed(bytes, size)).equals(expected), `${size}`).toBe(true);
    }
  });

  it("are given on as they are when they are none, or not whole", async () => {
    const whole = frame(Buffer.from("whole"), true).bytes;
    for (const bad of [
      Buffer.from("no zstd at all, and longer than any header"),
      Buffer.from("short"),
      whole.subarray(0, -1),
      whole.subarray(0, 3),
      Buffer.concat([whole, Buffer.from("behind it something else, which is no frame")]),
      Buffer.concat([whole, whole.subarray(0, 12)]),
    ]) {
      const pieces = await collected(zstdFrames(cut(bad, 2)));
      expect(Buffer.concat(pieces).equals(bad)).toBe(true);
      expect(Buffer.concat(splitZstdFrames(bad)).equals(bad)).toBe(true);
    }
    for (const none of ["no zstd at all, and longer than any header", "short"]) {
      const unknown = expect.objectContaining({ code: "ZSTD_error_prefix_unknown" });
      expect(() => decompressZstd(Buffer.from(none), 1000)).toThrow(unknown);
      await expect(decompressed(Buffer.from(none), 3)).rejects.toThrow(unknown);
    }
  });

  it("hold no more together than was asked for", () => {
    const all = [frame(Buffer.alloc(1000), true), frame(Buffer.alloc(1000), true)];
    expect(decompressZstd(bytesOf(all), 2000)).toHaveLength(2000);
    for (const tooFew of [1999, 999])
      expect(() => decompressZstd(bytesOf(all), tooFew)).toThrow(
        expect.objectContaining({ code: "ERR_BUFFER_TOO_LARGE" }),
      );
  });

  it("are no more than a thousand", () => {
    const empty = frame(Buffer.alloc(0), false);
    const many = (count: number): Buffer => bytesOf(Array.from({ length: count }, () => empty));
    expect(decompressZstd(many(1000), 10)).toHaveLength(0);
    expect(() => decompressZstd(many(400_000), 10)).toThrow(RangeError);
  });
});
