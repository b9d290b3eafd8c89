import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createBlake3HasherWith } from "./blake3.ts";
import { createHasher, emptyDigest, hashBytes, hashText } from "./hasher.ts";

/** From the official test_vectors.json of BLAKE3: input byte i is i mod 251, the first 32 bytes of the output. */
const blake3Vectors: readonly (readonly [length: number, hash: string])[] = [
  [0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
  [1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"],
  [1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"],
  [1025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"],
  [31744, "62b6960e1a44bcc1eb1a611a8d6235b6b4b78f32e7abc4fb4c6cdcce94895c47"],
  [102400, "bc3e3d41a1146b069abffad3c0d44860cf664390afce4d9661f7902e7943e085"],
];

function vectorInput(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => index % 251);
}

function blake3With(name: "native" | "wasm", chunks: readonly Uint8Array[]): string {
  const hasher = createBlake3HasherWith(name);
  if (hasher === undefined) throw new Error(`the ${name} engine is not installed here`);
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.digestHex();
}

describe("hashing", () => {
  for (const engine of ["native", "wasm"] as const) {
    it(`gives the official BLAKE3 vectors with the ${engine} engine`, () => {
      for (const [length, hash] of blake3Vectors) {
        expect(blake3With(engine, [vectorInput(length)]), `${length} bytes`).toBe(hash);
      }
    });
  }

  it("gives one digest with both BLAKE3 engines around the 1 MiB step", () => {
    for (const length of [1_048_575, 1_048_576, 1_048_577, 2_500_000]) {
      const bytes = vectorInput(length);
      expect(blake3With("wasm", [bytes]), `${length} bytes`).toBe(blake3With("native", [bytes]));
    }
  });

  it("survives ten thousand hashers, each of which must free its memory", () => {
    for (let count = 0; count < 10_000; count += 1) blake3With("wasm", [vectorInput(10)]);
    expect(blake3With("wasm", [vectorInput(1)])).toBe(blake3Vectors[1]?.[1]);
  });

  it("does not depend on how the bytes are cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.constantFrom("sha256", "blake3"),
        (chunks, name) => {
          const hasher = createHasher(name);
          for (const chunk of chunks) hasher.update(chunk);
          const whole = Buffer.concat(chunks);
          expect({ hash: hasher.digestHex(), sizeBytes: whole.length }).toEqual(
            hashBytes(name, whole),
          );
        },
      ),
    );
  });

  it("is plain SHA-256 of the bytes, as every REAPI peer computes it", () => {
    const expected = createHash("sha256").update("grüße").digest("hex");
    expect(hashText("sha256", "grüße")).toEqual({ hash: expected, sizeBytes: 7 });
    expect(emptyDigest("sha256").hash).toBe(createHash("sha256").digest("hex"));
  });
});
