import { type KeyObject, verify } from "node:crypto";
import { fromBase64, isKeyId, type PublicKey, publicKeyObject, signatureBytes } from "./ed25519.ts";
import {
  type EnvelopeSignature,
  preAuthenticationEncoding,
  type SignedEnvelope,
} from "./envelope.ts";
import { signatureIdentity, type SignatureMemo } from "./signature-memo.ts";
import type { TrustedKey, TrustedKeys } from "./trusted-key.ts";

/**
 * Whom entries are accepted from. `local`: this machine's key, and those of the trust file. `required`: those of the trust file.
 * `ci-only`: those of the trust file with the role `ci-main`.
 */
export type VerifyingMode = "local" | "required" | "ci-only";

/**
 * Why an envelope is not accepted. unsigned: it has no signature. malformedSignature: a key id or signature that is none.
 * unknownKey: no key of that id is trusted. wrongNamespace, wrongRole: the key is, but not for this. notYetValid, expiredKey, revokedKey:
 * not at this time. badSignature: the bytes are not what the key signed.
 */
export type RefusalReason =
  | "unsigned"
  | "malformedSignature"
  | "unknownKey"
  | "wrongNamespace"
  | "wrongRole"
  | "notYetValid"
  | "expiredKey"
  | "revokedKey"
  | "badSignature";

export interface Refusal {
  readonly kind: "refused";
  readonly reason: RefusalReason;
  /** What the envelope names, or undefined when it names none. It proves nothing. */
  readonly keyId: string | undefined;
  /** One clause, for people. */
  readonly detail: string;
}

export interface Acceptance {
  readonly kind: "accepted";
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  /** To be asked once the payload is parsed: whether the key was good at the time that the payload says. */
  refuseTime(signedAtMs: number): Refusal | undefined;
}

export interface Verifier {
  readonly mode: VerifyingMode;
  /**
   * Whether the bytes of an envelope come from whom they may come. Nothing of the payload is looked at. Keys are found by id among the
   * trusted ones only. The cheap questions come first: no signature is computed for a key that would not do. Never throws.
   */
  verify(envelope: SignedEnvelope, context: { readonly namespace: string }): Acceptance | Refusal;
  /** What `verify` says of an envelope that has one signature, of this key, which is known to be good. */
  trusts(key: PublicKey, context: { readonly namespace: string }): Acceptance | Refusal;
}

export interface VerifierOptions {
  readonly mode: VerifyingMode;
  readonly trusted: TrustedKeys;
  /** This machine's key, trusted under `local` for every namespace unless the trust file has a line of its own for it. */
  readonly ownKey?: PublicKey | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** Signatures that are known to be good. */
  readonly memo?: SignatureMemo | undefined;
}

/** Signatures of one envelope that are looked at. */
const maxSignatures = 16;

/** The more is known about whose it is, the more telling. */
const telling: readonly RefusalReason[] = [
  "badSignature",
  "revokedKey",
  "expiredKey",
  "notYetValid",
  "wrongRole",
  "wrongNamespace",
  "unknownKey",
  "malformedSignature",
];

export function createVerifier(options: VerifierOptions): Verifier {
  const { mode, now = Date.now } = options;
  const keys = usableKeys(options);
  const objects = new Map<string, KeyObject>();
  const check = (id: string, namespace: string): TrustedKey | Refusal => {
    const key = keys.get(id);
    if (key === undefined) return refusal("unknownKey", id, `the key ${id} is not trusted`);
    return policyRefusal(key, mode, namespace, now()) ?? key;
  };
  const isGood = (key: TrustedKey, encoded: Buffer, signature: Buffer): boolean => {
    const identity = signatureIdentity(key.publicKey, encoded, signature);
    if (options.memo?.has(identity) === true) return true;
    let object = objects.get(key.id);
    if (object === undefined) objects.set(key.id, (object = publicKeyObject(key.publicKey)));
    if (!verify(null, encoded, object, signature)) return false;
    options.memo?.add(identity);
    return true;
  };
  const verifyOne = (
    envelope: SignedEnvelope,
    { keyid, sig }: EnvelopeSignature,
    namespace: string,
  ): Acceptance | Refusal => {
    if (!isKeyId(keyid)) return refusal("malformedSignature", undefined, "its key id is none");
    const signature = fromBase64(sig, signatureBytes);
    if (signature === undefined)
      return refusal("malformedSignature", keyid, "its signature is not 64 bytes in base64");
    const key = check(keyid, namespace);
    if ("kind" in key) return key;
    const encoded = preAuthenticationEncoding(envelope.payloadType, envelope.payload);
    if (!isGood(key, encoded, signature))
      return refusal("badSignature", keyid, `its bytes are not what the key ${keyid} signed`);
    return acceptance(key);
  };
  return {
    mode,
    verify: (envelope, { namespace }) => {
      const { signatures } = envelope;
      if (signatures.length === 0) return refusal("unsigned", undefined, "it has no signature");
      if (signatures.length > maxSignatures) {
        const detail = `it has more than ${maxSignatures} signatures`;
        return refusal("malformedSignature", undefined, detail);
      }
      const refusals: Refusal[] = [];
      for (const signature of signatures) {
        const verdict = verifyOne(envelope, signature, namespace);
        if (verdict.kind === "accepted") return verdict;
        refusals.push(verdict);
      }
      return mostTelling(refusals);
    },
    trusts: ({ id, publicKey }, { namespace }) => {
      const key = check(id, namespace);
      if ("kind" in key) return key;
      return Buffer.compare(key.publicKey, publicKey) === 0
        ? acceptance(key)
        : refusal("unknownKey", id, `another key has the id ${id}`);
    },
  };
}

/** The trust file's word about this machine's own key comes before the mode's. */
function usableKeys({ mode, trusted, ownKey }: VerifierOptions): TrustedKeys {
  if (mode !== "local" || ownKey === undefined || trusted.has(ownKey.id)) return trusted;
  const own: TrustedKey = {
    ...ownKey,
    name: undefined,
    roles: ["developer"],
    namespaces: ["*"],
    notBeforeMs: undefined,
    notAfterMs: undefined,
    revoked: undefined,
  };
  return new Map([...trusted, [own.id, own]]);
}

function acceptance(key: TrustedKey): Acceptance {
  const { id, publicKey } = key;
  return { kind: "accepted", keyId: id, publicKey, refuseTime: (at) => timeRefusal(key, at) };
}

function refusal(reason: RefusalReason, keyId: string | undefined, detail: string): Refusal {
  return { kind: "refused", reason, keyId, detail };
}

function policyRefusal(
  key: TrustedKey,
  mode: VerifyingMode,
  namespace: string,
  nowMs: number,
): Refusal | undefined {
  const { id, namespaces, notAfterMs, notBeforeMs } = key;
  if (key.revoked === "always") return refusal("revokedKey", id, `the key ${id} is revoked`);
  if (notBeforeMs !== undefined && nowMs < notBeforeMs)
    return refusal("notYetValid", id, `the key ${id} is not valid yet`);
  if (notAfterMs !== undefined && nowMs >= notAfterMs)
    return refusal("expiredKey", id, `the key ${id} is not valid any more`);
  if (mode === "ci-only" && !key.roles.includes("ci-main"))
    return refusal("wrongRole", id, `the key ${id} has not the role ci-main`);
  if (!namespaces.includes("*") && !namespaces.includes(namespace))
    return refusal("wrongNamespace", id, `the key ${id} is not trusted for ${namespace}`);
  return undefined;
}

function timeRefusal(key: TrustedKey, signedAtMs: number): Refusal | undefined {
  const { id, notBeforeMs, revoked } = key;
  if (typeof revoked === "number" && signedAtMs >= revoked)
    return refusal("revokedKey", id, `the key ${id} is revoked for what was signed then`);
  if (notBeforeMs !== undefined && signedAtMs < notBeforeMs)
    return refusal("notYetValid", id, `the key ${id} was not valid when it was signed`);
  return undefined;
}

function mostTelling(refusals: readonly Refusal[]): Refusal {
  for (const reason of telling) {
    const found = refusals.find((each) => each.reason === reason);
    if (found !== undefined) return found;
  }
  return refusal("unsigned", undefined, "it has no signature");
}
