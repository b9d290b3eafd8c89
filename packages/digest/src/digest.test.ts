import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareUtf8 } from "./compare-utf8.ts";
import { assertDigest, formatDigest, parseDigest } from "./digest.ts";

const hash = "0123456789abcdef".repeat(4);

describe("a digest", () => {
  it("reads back from the text it was written as", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.maxSafeNat(),
        (bytes, sizeBytes) => {
          const digest = { hash: Buffer.from(bytes).toString("hex"), sizeBytes };
          expect(parseDigest(formatDigest(digest))).toEqual(digest);
        },
      ),
    );
  });

  it("is refused when hash or size are malformed", () => {
    for (const text of [
      "",
      hash,
      `${hash}/-1`,
      `${hash}/01`,
      `${hash}/1/2`,
      `${hash.toUpperCase()}/1`,
      `${hash}0/1`,
    ]) {
      expect(parseDigest(text), text).toBeUndefined();
    }
    expect(() => assertDigest({ hash: "../../etc/passwd", sizeBytes: 1 })).toThrowError(
      /malformed hash/,
    );
    expect(() => assertDigest({ hash, sizeBytes: 1.5 })).toThrowError(/size 1.5/);
  });
});

describe("compareUtf8", () => {
  it("orders as the UTF-8 bytes do, also beyond U+FFFF", () => {
    expect(compareUtf8("\u{1F600}", "\uFFFD")).toBeGreaterThan(0);
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme" }),
        fc.string({ unit: "grapheme" }),
        (left, right) => {
          expect(Math.sign(compareUtf8(left, right))).toBe(
            Buffer.compare(Buffer.from(left), Buffer.from(right)),
          );
        },
      ),
    );
  });
});
