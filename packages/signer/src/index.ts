/** Signed results: envelopes, and the policy of whom to trust. What makes keys and changes whom to trust is in `@cuenv/signer/keys`. */
export { createSigner, type Signer } from "./create-signer.ts";
export {
  type Acceptance,
  createVerifier,
  type Refusal,
  type RefusalReason,
  type Verifier,
  type VerifierOptions,
  type VerifyingMode,
} from "./create-verifier.ts";
export { isKeyId, type KeyPair, type PublicKey } from "./ed25519.ts";
export {
  type EnvelopeSignature,
  preAuthenticationEncoding,
  type SignedEnvelope,
} from "./envelope.ts";
export { parseKeyFile } from "./key-file.ts";
export { derivedSecret, machineKeyPath, readKeyFile } from "./machine-key.ts";
export { readTrustFile, type TrustFilePlace } from "./read-trust-file.ts";
export {
  openSignatureMemo,
  type SignatureMemo,
  type SignatureMemoOptions,
} from "./signature-memo.ts";
export { type KeyRole, keyRoles, type TrustedKey, type TrustedKeys } from "./trusted-key.ts";
