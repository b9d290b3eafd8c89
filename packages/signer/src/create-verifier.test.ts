import { createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keysOf, other, pair, payload, payloadType, signed, trusted } from "../test/rig.ts";
import { createVerifier, type VerifierOptions } from "./create-verifier.ts";
import { createSigner } from "./create-signer.ts";
import { generateKeyPair, keyIdOf, publicKeyOf } from "./ed25519.ts";
import { preAuthenticationEncoding, type SignedEnvelope } from "./envelope.ts";
import type { SignatureMemo } from "./signature-memo.ts";
import type { TrustedKey } from "./trusted-key.ts";

const at = (text: string): number => Date.parse(text);

function verdict(
  envelope: SignedEnvelope,
  options: Partial<VerifierOptions> = {},
  namespace = "default",
) {
  const verifier = createVerifier({
    mode: "required",
    trusted: keysOf(trusted(pair)),
    ...options,
  });
  return verifier.verify(envelope, { namespace });
}

function verdictFor(
  key: Partial<TrustedKey>,
  options: Partial<VerifierOptions> = {},
  namespace?: string,
) {
  return verdict(signed(pair), { trusted: keysOf(trusted(pair, key)), ...options }, namespace);
}

describe("createVerifier", () => {
  it("accepts what a trusted key signed", () => {
    expect(verdict(signed(pair))).toMatchObject({ kind: "accepted", keyId: pair.id });
  });

  it("encodes what is signed as DSSE says, so that other tools can verify it", () => {
    expect(
      preAuthenticationEncoding(
        "http://example.com/HelloWorld",
        Buffer.from("hello world"),
      ).toString(),
    ).toBe("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    expect(preAuthenticationEncoding("é", Buffer.from("")).toString()).toBe("DSSEv1 2 é 0 ");
    const { sig } = createSigner(pair).sign(payloadType, payload);
    const jwk = {
      kty: "OKP",
      crv: "Ed25519",
      x: Buffer.from(pair.publicKey).toString("base64url"),
    };
    const key = createPublicKey({ key: jwk, format: "jwk" });
    const encoded = preAuthenticationEncoding(payloadType, payload);
    expect(verify(null, encoded, key, Buffer.from(sig, "base64"))).toBe(true);
  });

  it("knows one key pair of RFC 8032, and its signature", () => {
    const seed = Buffer.from(
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "hex",
    );
    const publicKey = Buffer.from(
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
      "hex",
    );
    expect(Buffer.from(publicKeyOf(seed)).equals(publicKey)).toBe(true);
    expect(keyIdOf(publicKey)).toMatch(/^ed25519-[0-9a-f]{32}$/);
  });

  it("T4: refuses an envelope without a signature, whatever the mode", () => {
    for (const mode of ["local", "required", "ci-only"] as const) {
      expect(verdict({ ...signed(pair), signatures: [] }, { mode, ownKey: pair })).toMatchObject({
        kind: "refused",
        reason: "unsigned",
        keyId: undefined,
      });
    }
  });

  it("T4: refuses a key that is not trusted, though its signature is good", () => {
    expect(verdict(signed(other))).toMatchObject({ reason: "unknownKey", keyId: other.id });
  });

  it("T4: refuses the signature of one key under the id of another", () => {
    const [signature] = signed(other).signatures;
    const forged = { ...signed(pair), signatures: [{ keyid: pair.id, sig: signature?.sig ?? "" }] };
    expect(verdict(forged)).toMatchObject({ reason: "badSignature", keyId: pair.id });
  });

  it("refuses other bytes, another type, and bytes moved from one to the other", () => {
    const good = signed(pair);
    expect(
      verdict({ ...good, payload: Buffer.from(`${Buffer.from(payload).toString()} `) }),
    ).toMatchObject({ reason: "badSignature" });
    expect(verdict({ ...good, payloadType: `${payloadType}x` })).toMatchObject({
      reason: "badSignature",
    });
    const moved = {
      ...good,
      payloadType: `${payloadType} ${payload.length} `,
      payload: Buffer.alloc(0),
    };
    expect(verdict(moved)).toMatchObject({ reason: "badSignature" });
  });

  it("refuses signatures that are not 64 bytes in canonical base64, and key ids that are none", () => {
    const { sig } = signed(pair).signatures[0] ?? { sig: "" };
    for (const odd of [
      "",
      `${sig} `,
      sig.slice(0, -2),
      `${sig}AAAA`,
      sig.replace("=", ""),
      "é".repeat(88),
    ]) {
      const envelope = { ...signed(pair), signatures: [{ keyid: pair.id, sig: odd }] };
      expect(verdict(envelope), odd).toMatchObject({
        reason: "malformedSignature",
        keyId: pair.id,
      });
    }
    for (const keyid of ["", "__proto__", "constructor", `${pair.id}0`, pair.id.toUpperCase()]) {
      const envelope = { ...signed(pair), signatures: [{ keyid, sig }] };
      expect(verdict(envelope), keyid).toMatchObject({
        reason: "malformedSignature",
        keyId: undefined,
      });
    }
  });

  it("accepts when one of several signatures is good, and names the most telling reason when none is", () => {
    const both = [...signed(other).signatures, ...signed(pair).signatures];
    expect(verdict({ ...signed(pair), signatures: both })).toMatchObject({ kind: "accepted" });
    const bad = [...signed(other).signatures, ...signed(pair, Buffer.from("else")).signatures];
    expect(verdict({ ...signed(pair), signatures: bad })).toMatchObject({ reason: "badSignature" });
    const many = Array.from({ length: 17 }, () => both[1] ?? { keyid: "", sig: "" });
    expect(verdict({ ...signed(pair), signatures: many })).toMatchObject({
      reason: "malformedSignature",
    });
    expect(verdict({ ...signed(pair), signatures: many.slice(1) })).toMatchObject({
      kind: "accepted",
    });
  });

  it("holds a key to its namespaces", () => {
    expect(verdictFor({ namespaces: ["main", "default"] })).toMatchObject({ kind: "accepted" });
    expect(verdictFor({ namespaces: ["main"] })).toMatchObject({ reason: "wrongNamespace" });
    expect(verdictFor({ namespaces: ["*"] }, {}, "pr-7")).toMatchObject({ kind: "accepted" });
    expect(verdictFor({ namespaces: ["default"] }, {}, "*")).toMatchObject({
      reason: "wrongNamespace",
    });
  });

  it("holds a key to its time, now and at the time of the signature", () => {
    const now = (): number => at("2026-06-01");
    const times = { notBeforeMs: at("2026-05-01"), notAfterMs: at("2026-07-01") };
    const found = verdictFor(times, { now });
    if (found.kind !== "accepted") throw new Error(found.reason);
    expect(found.refuseTime(at("2026-05-01"))).toBeUndefined();
    expect(found.refuseTime(at("2026-04-30"))).toMatchObject({ reason: "notYetValid" });
    expect(verdictFor(times, { now: () => at("2026-04-30") })).toMatchObject({
      reason: "notYetValid",
    });
    expect(verdictFor(times, { now: () => at("2026-07-01") })).toMatchObject({
      reason: "expiredKey",
    });
    expect(verdictFor(times, { now: () => at("2026-07-01") - 1 })).toMatchObject({
      kind: "accepted",
    });
  });

  it("T6: accepts nothing of a revoked key, or nothing that says to be from then on", () => {
    expect(verdictFor({ revoked: "always" })).toMatchObject({
      reason: "revokedKey",
      keyId: pair.id,
    });
    const since = verdictFor({ revoked: at("2026-05-01") });
    if (since.kind !== "accepted") throw new Error(since.reason);
    expect(since.refuseTime(at("2026-05-01") - 1)).toBeUndefined();
    expect(since.refuseTime(at("2026-05-01"))).toMatchObject({ reason: "revokedKey" });
    expect(since.refuseTime(Number.MAX_SAFE_INTEGER)).toMatchObject({ reason: "revokedKey" });
  });

  it("trusts this machine's own key under local only, and not when the trust file says otherwise", () => {
    const none = keysOf();
    expect(
      verdict(signed(pair), { mode: "local", trusted: none, ownKey: pair }, "any"),
    ).toMatchObject({ kind: "accepted" });
    expect(verdict(signed(pair), { mode: "local", trusted: none, ownKey: other })).toMatchObject({
      reason: "unknownKey",
    });
    for (const mode of ["required", "ci-only"] as const)
      expect(verdict(signed(pair), { mode, trusted: none, ownKey: pair })).toMatchObject({
        reason: "unknownKey",
      });
    const revoked = keysOf(trusted(pair, { revoked: "always" }));
    expect(verdict(signed(pair), { mode: "local", trusted: revoked, ownKey: pair })).toMatchObject({
      reason: "revokedKey",
    });
  });

  it("accepts under ci-only what has the role ci-main, and nothing else", () => {
    for (const [roles, kind] of [
      [["ci-main"], "accepted"],
      [["developer", "ci-main"], "accepted"],
      [["ci"], "refused"],
      [["developer"], "refused"],
    ] as const) {
      expect(verdictFor({ roles }, { mode: "ci-only" }), roles.join(",")).toMatchObject({ kind });
    }
  });

  it("says whether its own signatures would be accepted", () => {
    const verifier = createVerifier({
      mode: "ci-only",
      trusted: keysOf(trusted(pair, { roles: ["ci-main"] }), trusted(other)),
    });
    expect(verifier.trusts(pair, { namespace: "default" })).toMatchObject({ kind: "accepted" });
    expect(verifier.trusts(pair, { namespace: "else" })).toMatchObject({
      reason: "wrongNamespace",
    });
    expect(verifier.trusts(other, { namespace: "default" })).toMatchObject({
      reason: "wrongRole",
    });
    expect(
      verifier.trusts({ id: pair.id, publicKey: other.publicKey }, { namespace: "default" }),
    ).toMatchObject({ reason: "unknownKey" });
    expect(verifier.trusts(generateKeyPair(), { namespace: "default" })).toMatchObject({
      reason: "unknownKey",
    });
  });

  it("remembers good signatures only, and asks the policy anew for each", () => {
    const facts = new Set<string>();
    let asked = 0;
    const memo: SignatureMemo = {
      has: (identity) => {
        asked += 1;
        return facts.has(identity);
      },
      add: (identity) => void facts.add(identity),
      save: () => undefined,
    };
    verdict({ ...signed(pair), payload: Buffer.from("other") }, { memo });
    expect(facts.size).toBe(0);
    verdict(signed(pair), { memo });
    verdict(signed(pair), { memo });
    expect([facts.size, asked]).toEqual([1, 3]);
    expect(verdictFor({ revoked: "always" }, { memo })).toMatchObject({ reason: "revokedKey" });
    expect(verdict({ ...signed(pair), payload: Buffer.from("other") }, { memo })).toMatchObject({
      reason: "badSignature",
    });
    const renamed = {
      ...signed(other),
      signatures: [
        {
          ...signed(pair).signatures[0],
          keyid: other.id,
          sig: signed(pair).signatures[0]?.sig ?? "",
        },
      ],
    };
    expect(verdict(renamed, { memo, trusted: keysOf(trusted(other)) })).toMatchObject({
      reason: "badSignature",
    });
  });

  it("need not find out that what this machine signed is good, and finds out the rest", () => {
    const facts = new Set<string>();
    const memo: SignatureMemo = {
      has: (identity) => facts.has(identity),
      add: (identity) => void facts.add(identity),
      save: () => undefined,
    };
    const signature = createSigner(pair, memo).sign(payloadType, payload);
    expect(facts.size).toBe(1);
    const envelope = { payloadType, payload, signatures: [signature] };
    expect(verdict(envelope, { memo })).toMatchObject({ kind: "accepted" });
    expect(facts.size).toBe(1);
    expect(verdict({ ...envelope, payload: Buffer.from("other") }, { memo })).toMatchObject({
      reason: "badSignature",
    });
    expect(verdictFor({ revoked: "always" }, { memo })).toMatchObject({ reason: "revokedKey" });
  });
});
