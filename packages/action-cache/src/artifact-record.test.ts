import { hashText } from "@cuenv/digest";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  artifactKey,
  type ArtifactRecord,
  decodeArtifactRecord,
  encodeArtifactRecord,
  sharedArtifactKey,
} from "./artifact-record.ts";
import { artifactPayloadType, encodeEntry, type SignPayload } from "./encode-entry.ts";
import {
  checkStoredEntry,
  checkStoredSignature,
  claimedKeyIds,
  entryReferences,
} from "./stored-entry.ts";

const record: ArtifactRecord = {
  protocol: "turborepo",
  namespace: "acme",
  name: "c13082a5f3e03b6b",
  blob: hashText("sha256", "archive"),
  headers: { duration: "1200", tag: "dGFn" },
  writer: "ci",
  storedAt: "2026-11-22T10:00:00.000Z",
};
const asked = { protocol: "turborepo", namespace: "acme", name: record.name };
const place = {
  digestFunction: "sha256",
  namespace: "acme",
  hash: artifactKey("sha256", record).digest.hash,
} as const;

describe("the record of an artifact", () => {
  it("is read as it was written", async () => {
    const bytes = await encodeArtifactRecord(record, "sha256");
    expect(decodeArtifactRecord(bytes, "sha256", asked)).toEqual({ kind: "record", record });
  });

  it("is refused under any other name, namespace, protocol and digest function", async () => {
    const bytes = await encodeArtifactRecord(record, "sha256");
    for (const other of [
      { ...asked, name: "other" },
      { ...asked, namespace: "umbrella" },
      { ...asked, protocol: "nx" },
    ])
      expect(decodeArtifactRecord(bytes, "sha256", other)).toMatchObject({ fault: "keyMismatch" });
    expect(decodeArtifactRecord(bytes, "blake3", asked)).toMatchObject({ fault: "keyMismatch" });
  });

  it("has a key that no two artifacts share, whatever their names", () => {
    const text = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(fc.tuple(text, text), fc.tuple(text, text), (left, right) => {
        const keyOf = ([protocol, name]: [string, string]) =>
          artifactKey("sha256", { protocol, name, namespace: "n" }).digest.hash;
        expect(keyOf(left) === keyOf(right)).toBe(left[0] === right[0] && left[1] === right[1]);
      }),
    );
  });

  it("has a key in a shared cache that no two artifacts share, whatever their namespaces", () => {
    const text = fc.string({ maxLength: 20 });
    const name = fc.tuple(text, text, text);
    fc.assert(
      fc.property(name, name, (left, right) => {
        const keyOf = ([protocol, namespace, own]: [string, string, string]) =>
          sharedArtifactKey("sha256", { protocol, namespace, name: own }, "shared");
        expect(keyOf(left).namespace).toBe("shared");
        expect(keyOf(left).digest.hash === keyOf(right).digest.hash).toBe(
          left.every((part, index) => part === right[index]),
        );
        expect(keyOf(left).digest.hash).not.toBe(
          artifactKey("sha256", { protocol: left[0], namespace: left[1], name: left[2] }).digest
            .hash,
        );
      }),
    );
  });

  it("is unusable when any byte of it is another", async () => {
    const bytes = await encodeArtifactRecord(record, "sha256");
    for (let position = 0; position < bytes.length; position += 1) {
      const bad = Buffer.from(bytes);
      bad.writeUInt8(bad.readUInt8(position) ^ 0x01, position);
      expect(decodeArtifactRecord(bad, "sha256", asked).kind, `byte ${position}`).toBe("unusable");
    }
  });

  it("is unusable when a field is missing or odd", () => {
    const fields = {
      v: 1,
      ...asked,
      blob: { function: "sha256", digest: `${"0".repeat(64)}/3` },
      headers: {},
      writer: "w",
      storedAt: record.storedAt,
    };
    const decode = (payload: object) =>
      decodeArtifactRecord(
        encodeEntry(Buffer.from(JSON.stringify(payload)), "sha256", [], artifactPayloadType),
        "sha256",
        asked,
      );
    expect(decode(fields).kind).toBe("record");
    for (const name of Object.keys(fields))
      expect(decode({ ...fields, [name]: undefined }).kind, name).toBe("unusable");
    for (const odd of [
      { blob: { function: "md5", digest: fields.blob.digest } },
      { blob: { function: "sha256", digest: "../../etc/passwd/1" } },
      { headers: { tag: 1 } },
      { headers: Object.fromEntries(Array.from({ length: 33 }, (_, n) => [`h${n}`, ""])) },
      { name: "x".repeat(8193) },
      { storedAt: "yesterday" },
      { v: 2 },
    ])
      expect(decode({ ...fields, ...odd }).kind, JSON.stringify(odd).slice(0, 60)).toBe("unusable");
  });

  it("keeps its blob from eviction, and is verified in its place", async () => {
    const bytes = await encodeArtifactRecord(record, "sha256");
    expect(entryReferences(bytes)).toEqual([record.blob]);
    expect(checkStoredEntry(bytes, place)).toEqual({ kind: "sound" });
    expect(checkStoredEntry(bytes, { ...place, namespace: "umbrella" }).kind).toBe("damaged");
    const odd = encodeEntry(Buffer.from('{"v":1}'), "sha256", [], artifactPayloadType);
    expect(checkStoredEntry(odd, place)).toMatchObject({ kind: "damaged" });
    const newer = encodeEntry(Buffer.from('{"v":9}'), "sha256", [], artifactPayloadType);
    expect(checkStoredEntry(newer, place)).toEqual({ kind: "sound" });
  });

  it("says by whom it was signed, and is looked at for that where it was", async () => {
    const sign: SignPayload = async () => [{ keyid: "ed25519-0", sig: "c2ln" }];
    const refusal = {
      kind: "refused",
      reason: "unknownKey",
      keyId: undefined,
      detail: "",
    } as const;
    const signed = await encodeArtifactRecord(record, "sha256", sign);
    const unsigned = await encodeArtifactRecord(record, "sha256");
    expect([claimedKeyIds(signed), claimedKeyIds(unsigned)]).toEqual([["ed25519-0"], []]);
    expect(checkStoredSignature(signed, place, () => refusal).kind).toBe("untrusted");
    expect(checkStoredSignature(unsigned, place, () => refusal).kind).toBe("sound");
    const accepted = {
      kind: "accepted",
      keyId: "",
      publicKey: Buffer.alloc(32),
      refuseTime: () => undefined,
    } as const;
    expect(checkStoredSignature(signed, place, () => accepted).kind).toBe("sound");
    const elsewhere = { ...place, namespace: "umbrella" };
    expect(checkStoredSignature(signed, elsewhere, () => accepted).kind).toBe("damaged");
  });
});
