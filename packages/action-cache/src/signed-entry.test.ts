import { createMemoryBlobStore } from "@cuenv/cas";
import { type Digest, hashBytes } from "@cuenv/digest";
import {
  createSigner,
  createVerifier,
  type KeyPair,
  type TrustedKey,
  type VerifierOptions,
} from "@cuenv/signer";
import { generateKeyPair } from "@cuenv/signer/keys";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeResult } from "../test/result.ts";
import { createActionCache, type Lookup } from "./action-cache.ts";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import { encodeEntry, encodePayload, payloadType } from "./encode-entry.ts";
import { createMemoryActionStore } from "./memory-action-store.ts";
import type { TaskResult } from "./task-result.ts";

const ours = generateKeyPair();
const theirs = generateKeyPair();
const key: TrustedKey = {
  ...ours,
  name: undefined,
  roles: ["ci-main"],
  namespaces: ["default", "main"],
  notBeforeMs: undefined,
  notAfterMs: undefined,
  revoked: undefined,
};

function open(options: Partial<VerifierOptions> = {}, namespace = "default", pair: KeyPair = ours) {
  const actions = createMemoryActionStore({ digestFunction: "sha256", maxBytes: 1 << 20 });
  const blobs = createMemoryBlobStore({ digestFunction: "sha256", maxBytes: 1 << 20 });
  const verifier = createVerifier({
    mode: "required",
    trusted: new Map([[key.id, key]]),
    ...options,
  });
  const signer = createSigner(pair);
  const cache = createActionCache({
    actions,
    blobs,
    namespace,
    verify: (envelope, context) => verifier.verify(envelope, context),
    sign: async (type, payload) => [signer.sign(type, payload)],
  });
  /** Looks up what somebody put there, whatever it is. */
  const lookAt = async (bytes: Uint8Array, asked: Digest = makeResult().key): Promise<Lookup> => {
    await actions.put({ digest: asked, namespace }, bytes);
    return cache.get(asked);
  };
  return { actions, cache, lookAt };
}

const signedBy = (pair: KeyPair, result: TaskResult): Uint8Array => {
  const payload = encodePayload(result);
  return encodeEntry(payload, "sha256", [createSigner(pair).sign(payloadType, payload)]);
};

/** Any envelope under a first line that is right, as who forges one would write it. */
const sealed = (envelope: JsonValue): Uint8Array => {
  const body = Buffer.from(canonicalJson(envelope));
  return Buffer.concat([
    Buffer.from(`cuenv-entry 1 sha256 ${hashBytes("sha256", body).hash}\n`),
    body,
  ]);
};

describe("signed entries", () => {
  it("row 28: are hits for who trusts the key, with the result that was signed", async () => {
    const { cache } = open();
    await cache.put(makeResult());
    expect(await cache.get(makeResult().key)).toMatchObject({ kind: "hit", result: makeResult() });
  });

  it("row 28: are misses when the signature, the key or the whole of it is missing or foreign", async () => {
    const { lookAt } = open();
    const payload = encodePayload(makeResult());
    expect(await lookAt(encodeEntry(payload, "sha256"))).toMatchObject({
      reason: "untrusted",
      refusal: { reason: "unsigned" },
    });
    expect(await lookAt(signedBy(theirs, makeResult()))).toMatchObject({
      reason: "untrusted",
      refusal: { reason: "unknownKey", keyId: theirs.id },
    });
    const other = createSigner(ours).sign(
      payloadType,
      encodePayload({ ...makeResult(), exitCode: 1 }),
    );
    expect(await lookAt(encodeEntry(payload, "sha256", [other]))).toMatchObject({
      reason: "untrusted",
      refusal: { reason: "badSignature" },
    });
    expect(await lookAt(signedBy(ours, makeResult()))).toMatchObject({ kind: "hit" });
  });

  it("row 28: do not depend on the order in which outputs were handed over as a map", async () => {
    const result = makeResult();
    const turned = JSON.parse(Buffer.from(encodePayload(result)).toString()) as Record<
      string,
      JsonValue
    >;
    const reordered = Buffer.from(
      JSON.stringify(Object.fromEntries(Object.entries(turned).toReversed())),
    );
    const bytes = encodeEntry(reordered, "sha256", [
      createSigner(ours).sign(payloadType, reordered),
    ]);
    expect(await open().lookAt(bytes)).toMatchObject({ kind: "hit", result });
  });

  it("T3: are misses under another key and in another namespace, though the signature is good", async () => {
    const bytes = signedBy(ours, makeResult());
    const another: Digest = { hash: "b".repeat(64), sizeBytes: 3 };
    expect(await open().lookAt(bytes, another)).toMatchObject({
      kind: "miss",
      reason: "keyMismatch",
    });
    expect(await open({}, "main").lookAt(bytes)).toMatchObject({
      kind: "miss",
      reason: "keyMismatch",
    });
    expect(await open({}, "pr-7").lookAt(bytes)).toMatchObject({
      refusal: { reason: "wrongNamespace" },
    });
  });

  it("T5: are misses with the type of another version, though it was signed", async () => {
    for (const type of [
      payloadType.replace("v1", "v0"),
      payloadType.replace("v1", "v2"),
      "application/json",
    ]) {
      const payload = encodePayload(makeResult());
      const signature = createSigner(ours).sign(type, payload);
      const envelope = {
        payload: Buffer.from(payload).toString("base64"),
        payloadType: type,
        signatures: [{ ...signature }],
      };
      expect(await open().lookAt(sealed(envelope)), type).toMatchObject({
        kind: "miss",
        reason: "unknownVersion",
      });
      // The bytes of one version, presented as those of another.
      expect(await open().lookAt(sealed({ ...envelope, payloadType })), type).toMatchObject({
        refusal: { reason: "badSignature" },
      });
    }
    const old = Buffer.from(
      Buffer.from(encodePayload(makeResult())).toString().replace('"v":1', '"v":0'),
    );
    expect(
      await open().lookAt(encodeEntry(old, "sha256", [createSigner(ours).sign(payloadType, old)])),
    ).toMatchObject({ reason: "unknownVersion" });
  });

  it("T6: are misses when their key is revoked, always or for the time that they say", async () => {
    const bytes = signedBy(ours, makeResult());
    const under = (revoked: TrustedKey["revoked"]) =>
      open({ trusted: new Map([[key.id, { ...key, revoked }]]) }).lookAt(bytes);
    const { startedAt, durationMs } = makeResult();
    const ended = Date.parse(startedAt) + durationMs;
    expect(await under("always")).toMatchObject({ refusal: { reason: "revokedKey" } });
    expect(await under(ended)).toMatchObject({ refusal: { reason: "revokedKey" } });
    expect(await under(ended + 1)).toMatchObject({ kind: "hit" });
  });

  it("parses nothing of a payload whose signature was not accepted", async () => {
    const bomb = Buffer.from(`{"v":1,"outputs":${"[".repeat(50_000)}`);
    const bytes = encodeEntry(bomb, "sha256", [createSigner(theirs).sign(payloadType, bomb)]);
    expect(await open().lookAt(bytes)).toMatchObject({ refusal: { reason: "unknownKey" } });
    const own = encodeEntry(bomb, "sha256", [createSigner(ours).sign(payloadType, bomb)]);
    expect(await open().lookAt(own)).toMatchObject({ reason: "corrupt" });
  });

  it("T4: 10 000 forged entries: every field changed, signatures taken, other keys, other formats: none is a hit", async () => {
    const { lookAt } = open();
    const fields = JSON.parse(Buffer.from(encodePayload(makeResult())).toString()) as Record<
      string,
      JsonValue
    >;
    const good = createSigner(ours).sign(payloadType, encodePayload(makeResult()));
    const change = fc.record({
      field: fc.constantFrom(...Object.keys(fields)),
      value: fc.oneof(
        fc.constant(undefined),
        fc.jsonValue().map((value) => value as JsonValue),
      ),
    });
    const signatures = fc.constantFrom(
      "kept",
      "none",
      "theirs",
      "theirsAsOurs",
      "both",
      "embedded",
    );
    const forged = fc.record({
      change,
      signatures,
      shape: fc.constantFrom("envelope", "legacy", "bare", "extra"),
    });
    let tried = 0;
    const hits: unknown[] = [];
    await fc.assert(
      fc.asyncProperty(forged, async ({ change: { field, value }, signatures: how, shape }) => {
        const text = canonicalJson({ ...fields, [field]: value ?? null });
        const payload = Buffer.from(text);
        const own = createSigner(theirs).sign(payloadType, payload);
        const unchanged = text === canonicalJson(fields);
        const known = unchanged ? [] : [{ ...good }];
        const lists = {
          kept: known,
          none: [],
          theirs: [{ ...own }],
          theirsAsOurs: [{ ...own, keyid: ours.id }],
          both: [{ ...own }, ...known],
          embedded: [{ ...own, publicKey: Buffer.from(theirs.publicKey).toString("base64") }],
        };
        const envelope = {
          payload: payload.toString("base64"),
          payloadType,
          signatures: lists[how],
        };
        const shapes = {
          envelope: sealed(envelope),
          legacy: sealed({ ...fields, [field]: value ?? null }),
          bare: payload,
          extra: sealed({ ...envelope, trusted: true }),
        };
        tried += 1;
        const found = await lookAt(shapes[shape]);
        if (found.kind === "hit") hits.push({ field, value, how, shape });
      }),
      { numRuns: 10_000 },
    );
    expect(tried).toBe(10_000);
    expect(hits).toEqual([]);
    expect(await lookAt(signedBy(ours, makeResult()))).toMatchObject({ kind: "hit" });
  });
});
