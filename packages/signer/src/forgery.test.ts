import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keysOf, other, pair, payload, payloadType, signed, trusted } from "../test/rig.ts";
import { createSigner } from "./create-signer.ts";
import { createVerifier } from "./create-verifier.ts";
import { generateKeyPair } from "./ed25519.ts";
import type { EnvelopeSignature, SignedEnvelope } from "./envelope.ts";

/** Forgeries in all; the number that reference/reliability.md asks for. */
const forgeries = 10_000;
/** What the trusted keys really signed. An envelope that is equal to one of these is no forgery. */
const genuine = [signed(pair), signed(pair, Buffer.from("another result"))];
const attackers = [other, ...Array.from({ length: 8 }, generateKeyPair)];
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const nameOf = ({ payload: bytes, payloadType: type, signatures }: SignedEnvelope): string =>
  JSON.stringify([type, text(bytes), signatures]);
const known = new Set(genuine.map(nameOf));

const flipped = (bytes: Uint8Array, bit: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[(bit >> 3) % copy.length]! ^= 1 << (bit & 7);
  return copy;
};
const nat = fc.nat(0xffff);
const attacker = fc.constantFrom(...attackers);
const original = fc.constantFrom(...genuine);
const bytesOf = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes): Uint8Array => Buffer.from(bytes)),
  fc.tuple(original, nat).map(([{ payload: bytes }, bit]): Uint8Array => flipped(bytes, bit)),
  fc.constant(payload),
  fc.json().map((json): Uint8Array => Buffer.from(json)),
);
const typeOf = fc.oneof(fc.constant(payloadType), fc.string({ maxLength: 60 }));
const keyid = fc.oneof(
  fc.constant(pair.id),
  attacker.map(({ id }) => id),
  fc.constantFrom("", "__proto__", "constructor", "toString", pair.id.toUpperCase(), ` ${pair.id}`),
  fc.string(),
);
const sig = fc.oneof(
  fc
    .uint8Array({ minLength: 64, maxLength: 64 })
    .map((bytes) => Buffer.from(bytes).toString("base64")),
  original.map(({ signatures }) => signatures[0]?.sig ?? ""),
  fc
    .tuple(original, nat)
    .map(([{ signatures }, bit]) =>
      flipped(Buffer.from(signatures[0]?.sig ?? "", "base64"), bit).toString("base64"),
    ),
  // All zeroes, R or S alone: what a verifier that forgets a check takes for good.
  fc.constantFrom(...[0, 1, 255].map((byte) => Buffer.alloc(64, byte).toString("base64"))),
  fc.string(),
  fc.base64String(),
);
/** What an attacker signs with his own key, under his own id or under the victim's. */
const ownSignature = (type: string, bytes: Uint8Array) =>
  fc.tuple(attacker, fc.boolean()).map(([thief, asVictim]): EnvelopeSignature => ({
    keyid: asVictim ? pair.id : thief.id,
    sig: createSigner(thief).sign(type, bytes).sig,
  }));
const forgery = fc
  .tuple(bytesOf, typeOf)
  .chain(([bytes, type]) =>
    fc
      .array(fc.oneof(fc.record({ keyid, sig }), ownSignature(type, bytes)), { maxLength: 4 })
      .map((signatures): SignedEnvelope => ({ payload: bytes, payloadType: type, signatures })),
  );

describe("T4: forgeries", () => {
  it(`accepts none of ${forgeries}, in any mode`, () => {
    const verifiers = (["local", "required", "ci-only"] as const).map((mode) =>
      createVerifier({
        mode,
        trusted: keysOf(trusted(pair, { roles: ["ci-main"] })),
        ownKey: pair,
      }),
    );
    let accepted = 0;
    let tried = 0;
    let turn = 0;
    fc.assert(
      fc.property(forgery, (envelope) => {
        fc.pre(!known.has(nameOf(envelope)));
        // A genuine signature among others over the very bytes that it is of is genuine, too.
        const kept = envelope.signatures.filter(
          (each) => !known.has(nameOf({ ...envelope, signatures: [each] })),
        );
        tried += 1;
        turn += 1;
        const verifier = verifiers[turn % verifiers.length];
        const verdict = verifier?.verify(
          { ...envelope, signatures: kept },
          { namespace: "default" },
        );
        if (verdict?.kind !== "refused") accepted += 1;
      }),
      { numRuns: forgeries },
    );
    expect(tried).toBe(forgeries);
    expect(accepted).toBe(0);
    for (const verifier of verifiers) {
      for (const envelope of genuine)
        expect(verifier.verify(envelope, { namespace: "default" }).kind).toBe("accepted");
    }
  });

  it("refuses every single bit that is flipped in payload, type, key id and signature", () => {
    const verifier = createVerifier({ mode: "required", trusted: keysOf(trusted(pair)) });
    const [envelope] = genuine;
    const [signature] = envelope?.signatures ?? [];
    if (envelope === undefined || signature === undefined) throw new Error("nothing was signed");
    const variants: SignedEnvelope[] = [];
    const bits = (bytes: Uint8Array): Buffer[] =>
      Array.from({ length: bytes.length * 8 }, (_, bit) => flipped(bytes, bit));
    for (const bytes of bits(envelope.payload)) variants.push({ ...envelope, payload: bytes });
    for (const type of bits(Buffer.from(payloadType)))
      variants.push({ ...envelope, payloadType: type.toString("latin1") });
    for (const id of bits(Buffer.from(signature.keyid)))
      variants.push({ ...envelope, signatures: [{ ...signature, keyid: id.toString("latin1") }] });
    for (const changed of bits(Buffer.from(signature.sig, "base64")))
      variants.push({
        ...envelope,
        signatures: [{ ...signature, sig: changed.toString("base64") }],
      });
    for (const changed of bits(Buffer.from(signature.sig)))
      variants.push({
        ...envelope,
        signatures: [{ ...signature, sig: changed.toString("latin1") }],
      });
    const accepted = variants.filter(
      (each) => verifier.verify(each, { namespace: "default" }).kind === "accepted",
    );
    expect(variants.length).toBeGreaterThan(2000);
    expect(accepted).toEqual([]);
  });
});
