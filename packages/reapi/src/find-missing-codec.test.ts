import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  array,
  assert,
  nat,
  property,
  record,
  string,
  stringMatching,
  uint8Array,
} from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeFindMissingRequest,
  decodeFindMissingResponse,
  encodeFindMissingRequest,
  encodeFindMissingResponse,
} from "./find-missing-codec.ts";
import {
  DigestFunction_Value,
  FindMissingBlobsRequestSchema,
  FindMissingBlobsResponseSchema,
} from "./messages.ts";

const digests = array(
  record({ hash: stringMatching(/^[0-9a-f]{64}$/), sizeBytes: nat({ max: 2 ** 40 }) }),
  { maxLength: 20 },
);
const big = (list: readonly { hash: string; sizeBytes: number }[]) =>
  list.map(({ hash, sizeBytes }) => ({ hash, sizeBytes: BigInt(sizeBytes) }));

function codeOf(step: () => unknown): string {
  try {
    step();
    return "none";
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
}

describe("the codec of FindMissingBlobs", () => {
  it("reads and writes what the generated code does", () => {
    assert(
      property(digests, string({ maxLength: 20 }), (list, instanceName) => {
        const request = {
          instanceName,
          digests: list,
          digestFunction: DigestFunction_Value.BLAKE3,
        };
        const message = create(FindMissingBlobsRequestSchema, {
          instanceName,
          blobDigests: big(list),
          digestFunction: DigestFunction_Value.BLAKE3,
        });
        const generated = Buffer.from(toBinary(FindMissingBlobsRequestSchema, message));
        expect(Buffer.from(encodeFindMissingRequest(request)).equals(generated)).toBe(true);
        expect(decodeFindMissingRequest(generated)).toEqual(request);
        const answer = Buffer.from(encodeFindMissingResponse(list));
        const read = fromBinary(FindMissingBlobsResponseSchema, answer);
        expect(read.missingBlobDigests.map(({ hash }) => hash)).toEqual(
          list.map(({ hash }) => hash),
        );
        expect(decodeFindMissingResponse(answer)).toEqual(list);
      }),
    );
  });

  it("passes over fields that it does not know, and takes the last of one that is there twice", () => {
    const unknown = Buffer.from("9a0103414243a00105a9010102030405060708b50101020304", "hex");
    const twice = Buffer.from([0x0a, 1, 0x61, 0x0a, 1, 0x62, 0x18, 9, 0x18, 1]);
    expect(decodeFindMissingRequest(Buffer.concat([unknown, twice]))).toEqual({
      instanceName: "b",
      digests: [],
      digestFunction: DigestFunction_Value.SHA256,
    });
  });

  it("refuses what is no digest", () => {
    const message = (hash: string, sizeBytes: bigint) =>
      Buffer.from(
        toBinary(
          FindMissingBlobsRequestSchema,
          create(FindMissingBlobsRequestSchema, { blobDigests: [{ hash, sizeBytes }] }),
        ),
      );
    const hash = "a".repeat(64);
    expect(() => decodeFindMissingRequest(message(hash, 1n))).not.toThrow();
    for (const [odd, size] of [
      ["", 1n],
      [hash.toUpperCase(), 1n],
      [hash.slice(1), 1n],
      [`${hash.slice(1)}é`, 1n],
      [hash, -1n],
      [hash, 2n ** 60n],
    ] as const)
      expect(() => decodeFindMissingRequest(message(odd, size)), odd).toThrow("cannot");
  });

  it("reads or refuses any bytes, with an error that has a code", () => {
    assert(
      property(uint8Array({ maxLength: 100 }), (bytes) => {
        for (const decode of [decodeFindMissingRequest, decodeFindMissingResponse])
          expect(codeOf(() => decode(Buffer.from(bytes)))).toMatch(/^(none|REAPI_|DIGEST_)/);
      }),
      { numRuns: 2000 },
    );
  });
});
