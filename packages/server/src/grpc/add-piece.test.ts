import { array, assert, integer, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { addPiece } from "./add-piece.ts";

describe("pieces of a message that is not complete", () => {
  it("are few, however small they come", () => {
    const pieces: Buffer[] = [];
    for (let byte = 0; byte < 4096; byte += 1) addPiece(pieces, Buffer.alloc(1, byte));
    expect(pieces.length).toBeLessThan(16);
    expect(Buffer.concat(pieces)).toEqual(
      Buffer.from(Uint8Array.from({ length: 4096 }, (_, at) => at % 256)),
    );
  });

  it("keep no memory but their own where they are a small part of what was read", () => {
    const read = Buffer.alloc(64 * 1024);
    const pieces: Buffer[] = [];
    for (const end of [1, 100, 5000]) addPiece(pieces, read.subarray(0, end));
    const kept = pieces.reduce((sum, { buffer }) => sum + buffer.byteLength, 0);
    expect(kept).toBe(5101);
  });

  it("are not copied where they are as large as frames usually are", () => {
    const pieces: Buffer[] = [];
    const frames = [1, 2, 3].map((value) => Buffer.alloc(16 * 1024, value));
    for (const frame of frames) addPiece(pieces, frame);
    expect(pieces.map(({ buffer }) => buffer)).toEqual(frames.map(({ buffer }) => buffer));
  });

  it("are the same bytes in the same order, and no more than a few for each 16 KiB", () => {
    assert(
      property(array(integer({ min: 0, max: 20_000 }), { maxLength: 60 }), (lengths) => {
        const given = lengths.map((length, index) => Buffer.alloc(length, index));
        const pieces: Buffer[] = [];
        for (const piece of given) addPiece(pieces, piece);
        const whole = Buffer.concat(given);
        expect(Buffer.concat(pieces).equals(whole)).toBe(true);
        expect(pieces.length).toBeLessThanOrEqual(whole.length / (16 * 1024) + 17);
      }),
    );
  });
});
