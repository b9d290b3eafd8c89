import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Sandbox } from "./sandbox.ts";

/*
 * Stored entries and keys, read and written by what docs/cache-format.md and docs/keys.md say of them, with none of cuenv's own code: what an attacker
 * and another implementation would do.
 */

const payloadType = "application/vnd.cuenv.task-result.v1+json";

export interface Key {
  readonly id: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface Entry {
  readonly payload: Record<string, unknown>;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

const sha256 = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("hex");

/** Stored entries, newest last. */
export function entryPaths(sandbox: Sandbox): string[] {
  return filesBelow(join(sandbox.cacheDir, "v1/ac"));
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

export const machineKeyFile = (sandbox: Sandbox): string =>
  join(sandbox.home, ".local/state/cuenv/machine.key");

export function readKey(path: string): Key {
  const text = readFileSync(path, "utf8");
  const field = (name: string): string => new RegExp(`^${name} (.+)$`, "m").exec(text)?.[1] ?? "";
  const url = (base64: string): string => Buffer.from(base64, "base64").toString("base64url");
  const jwk = { kty: "OKP", crv: "Ed25519", x: url(field("public")), d: url(field("private")) };
  const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
  return { id: field("id"), privateKey, publicKey: createPublicKey(privateKey) };
}

const encoded = (payload: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);

export function readEntry(path: string): Entry & { readonly bytes: Buffer } {
  const [, body = ""] = readFileSync(path, "utf8").split("\n");
  const envelope = JSON.parse(body) as { payload: string; signatures: Entry["signatures"] };
  const bytes = Buffer.from(envelope.payload, "base64");
  return {
    payload: JSON.parse(bytes.toString()) as Entry["payload"],
    signatures: envelope.signatures,
    bytes,
  };
}

export function isSignedBy(path: string, key: Key): boolean {
  const { bytes, signatures } = readEntry(path);
  const [signature] = signatures;
  if (signature?.keyid !== key.id) return false;
  return verify(null, encoded(bytes), key.publicKey, Buffer.from(signature.sig, "base64"));
}

/** Writes an entry whose first line is right; signed with `key`, under its id or another. */
export function writeEntry(
  path: string,
  payload: Entry["payload"],
  key?: Key,
  keyid = key?.id,
): void {
  const bytes = Buffer.from(JSON.stringify(payload));
  const signatures =
    key === undefined
      ? []
      : [{ keyid, sig: sign(null, encoded(bytes), key.privateKey).toString("base64") }];
  const body = JSON.stringify({ payload: bytes.toString("base64"), payloadType, signatures });
  writeFileSync(path, `cuenv-entry 1 sha256 ${sha256(body)}\n${body}`);
}

/** Stores bytes as a blob, and gives its digest as entries have it. */
export function writeBlob(sandbox: Sandbox, text: string): string {
  const hash = sha256(text);
  const path = join(sandbox.cacheDir, "v1/cas/sha256", hash.slice(0, 2), hash);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return `${hash}/${Buffer.byteLength(text)}`;
}
