import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
} from "node:crypto";

export const publicKeyBytes = 32;
export const seedBytes = 32;
export const signatureBytes = 64;

/** What stands before the 32 bytes in RFC 8410's SubjectPublicKeyInfo and PKCS #8: always the same for Ed25519. */
const publicPrefix = Buffer.from("302a300506032b6570032100", "hex");
const privatePrefix = Buffer.from("302e020100300506032b657004220420", "hex");

/** An Ed25519 key pair as raw bytes. */
export interface KeyPair {
  readonly id: string;
  readonly publicKey: Uint8Array;
  /** The private key. Never printed, never put into an error. */
  readonly seed: Uint8Array;
}

/** The public half: all that verifying needs. */
export type PublicKey = Pick<KeyPair, "id" | "publicKey">;

const idPattern = /^ed25519-[0-9a-f]{32}$/;

/** `ed25519-` and the first 128 bits of the SHA-256 of the raw public key, so that an id names one key. */
export function keyIdOf(publicKey: Uint8Array): string {
  return `ed25519-${hash("sha256", publicKey, "hex").slice(0, 32)}`;
}

export function isKeyId(text: string): boolean {
  return idPattern.test(text);
}

export function generateKeyPair(): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ format: "der", type: "spki" }).subarray(publicPrefix.length);
  const seed = privateKey.export({ format: "der", type: "pkcs8" }).subarray(privatePrefix.length);
  return { id: keyIdOf(raw), publicKey: raw, seed };
}

export function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const key = Buffer.concat([publicPrefix, publicKey]);
  return createPublicKey({ key, format: "der", type: "spki" });
}

export function privateKeyObject(seed: Uint8Array): KeyObject {
  const key = Buffer.concat([privatePrefix, seed]);
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** The public key that belongs to a private one. */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  const spki = createPublicKey(privateKeyObject(seed)).export({ format: "der", type: "spki" });
  return spki.subarray(publicPrefix.length);
}

/** The bytes of canonical base64 of exactly `length` bytes; undefined for anything else. Node's decoder passes over what is not base64. */
export function fromBase64(text: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === length && bytes.toString("base64") === text ? bytes : undefined;
}

export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
}
