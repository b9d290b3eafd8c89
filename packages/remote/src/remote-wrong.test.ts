import { create } from "@bufbuild/protobuf";
import {
  ActionCache,
  ActionResultSchema,
  ByteStream,
  ContentAddressableStorage as Cas,
} from "@cuenv/reapi/messages";
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { capable, on } from "../test/fake-server.ts";
import { digestOf, failureOf, keyOf, open, readAll, scripted } from "../test/open-cache.ts";

describe("a remote cache that gives wrong things", () => {
  const small = Buffer.from("the right bytes");
  const wrong = Buffer.from("the wrong bytes");
  const large = randomBytes(2_000_000);

  it.each<[string, Uint8Array[], string]>([
    ["other bytes", [randomBytes(2_000_000)], "CAS_BLOB_CORRUPT"],
    ["fewer bytes", [large.subarray(0, 1_500_000)], "CAS_BLOB_CORRUPT"],
    ["nothing", [], "CAS_BLOB_CORRUPT"],
  ])(
    "for a large blob is found out before its last bytes are given: %s",
    async (_, chunks, code) => {
      const server = await scripted(
        capable(),
        on(ByteStream.method.read, () => chunks.map((data) => ({ data: Uint8Array.from(data) }))),
      );
      let given = 0;
      const failure = await failureOf(async () => {
        for await (const chunk of open(server.address).blobs.read(digestOf(large)))
          given += chunk.length;
      });
      expect(failure).toContain(code);
      expect(given).toBeLessThan(large.length);
    },
  );

  it("for a small blob, or no answer for it, is a failure of that blob alone", async () => {
    const other = Buffer.from("another blob");
    const server = await scripted(
      capable(),
      on(Cas.method.batchReadBlobs, ({ digests }) => ({
        responses: digests.flatMap((digest) => {
          if (digest.hash === digestOf(small).hash)
            return [{ digest, data: Uint8Array.from(wrong) }];
          return digest.hash === digestOf(other).hash
            ? [{ digest, data: Uint8Array.from(other) }]
            : [];
        }),
      })),
    );
    const cache = open(server.address);
    const [first, second, third] = await Promise.all([
      failureOf(() => readAll(cache, digestOf(small))),
      failureOf(() => readAll(cache, digestOf(Buffer.from("unanswered")))),
      readAll(cache, digestOf(other)),
    ]);
    expect(first).toContain("CAS_BLOB_CORRUPT");
    expect(second).toContain("CAS_STORE_UNAVAILABLE");
    expect(third.equals(other)).toBe(true);
  });

  it("as a result has no entry in it: that of another tool, or a wrong one, is a miss", async () => {
    const results = [
      create(ActionResultSchema, { exitCode: 0 }),
      create(ActionResultSchema, {
        executionMetadata: {
          auxiliaryMetadata: [
            { typeUrl: "type.googleapis.com/other.Thing", value: Uint8Array.of(1) },
          ],
        },
      }),
      create(ActionResultSchema, {
        executionMetadata: {
          auxiliaryMetadata: [
            { typeUrl: "type.googleapis.com/cuenv.v1.EntryBlob", value: Uint8Array.of(10, 1, 120) },
          ],
        },
      }),
    ];
    for (const result of results) {
      const server = await scripted(
        capable(),
        on(ActionCache.method.getActionResult, () => result),
      );
      expect(await open(server.address).actions.get(keyOf("x"))).toBeUndefined();
    }
  });

  it("is refused what has other bytes than its digest before anything is sent", async () => {
    const server = await scripted(capable());
    const cache = open(server.address);
    expect(await failureOf(() => cache.blobs.write(digestOf(small), wrong))).toContain(
      "CAS_DIGEST_MISMATCH",
    );
    expect(server.calls).toEqual([]);
  });
});
