import { type KeyObject, sign } from "node:crypto";
import { CuenvError } from "@cuenv/errors";
import { type KeyPair, privateKeyObject, publicKeyOf, toBase64 } from "./ed25519.ts";
import { type EnvelopeSignature, preAuthenticationEncoding } from "./envelope.ts";
import { signatureIdentity, type SignatureMemo } from "./signature-memo.ts";

/** Signs payloads with one key. */
export interface Signer {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  /** Ed25519 over the pre-authentication encoding; about 50 µs. */
  sign(payloadType: string, payload: Uint8Array): EnvelopeSignature;
}

/**
 * @param memo to which its signatures are added: they are good, and whoever verifies them next need not find that out
 * @throws {CuenvError} TRUST_KEY_INVALID when the halves are of two keys: everybody would refuse what is signed so, and put it in the place of what was good
 */
export function createSigner(pair: KeyPair, memo?: SignatureMemo): Signer {
  if (Buffer.compare(publicKeyOf(pair.seed), pair.publicKey) !== 0)
    throw new CuenvError(
      "TRUST_KEY_INVALID",
      `cannot sign with ${pair.id}: its private and its public half are of two keys`,
      {
        hint: "Give the key as cuenv keys generate made it; cuenv keys rotate makes another one for this machine.",
      },
    );
  let key: KeyObject | undefined;
  return {
    keyId: pair.id,
    publicKey: pair.publicKey,
    sign: (payloadType, payload) => {
      key ??= privateKeyObject(pair.seed);
      const encoded = preAuthenticationEncoding(payloadType, payload);
      const signature = sign(null, encoded, key);
      memo?.add(signatureIdentity(pair.publicKey, encoded, signature));
      return { keyid: pair.id, sig: toBase64(signature) };
    },
  };
}
