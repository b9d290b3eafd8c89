import { createHmac, hash, timingSafeEqual } from "node:crypto";
import { readMemoFile, replaceFile } from "@cuenv/digest";

/** Which signatures were found good before: an Ed25519 verification takes 120 µs, a look here 3. */
export interface SignatureMemo {
  /** `identity`: see {@link signatureIdentity}. */
  has(identity: string): boolean;
  add(identity: string): void;
  /** Keeps it for the next run. Never throws. */
  save(): void;
}

/** One fact: this key signed these bytes with this signature. The hash of all three, in base64url, so that it holds for nothing else. */
export function signatureIdentity(
  publicKey: Uint8Array,
  signedBytes: Uint8Array,
  signature: Uint8Array,
): string {
  return hash("sha256", Buffer.concat([publicKey, signature, signedBytes]), "base64url");
}

export interface SignatureMemoOptions {
  /** May lie where others write (in a cache folder that was copied or unpacked): what is not from here is not believed. */
  readonly path: string;
  /** 32 bytes that only this user can read; undefined: nothing is remembered. */
  readonly secret: () => Uint8Array | undefined;
}

const rowBytes = 43;
const tagBytes = 32;
/** The rows of one memo (344 KiB); those that this run used stay. */
const maxRows = 8192;

/**
 * A file of facts, each of them true whatever the trust policy says: "these bytes carry a good signature of this key". Whether the key is
 * trusted, and for what, is asked anew every time. A file is an HMAC of everything after it, then the identity of each fact; without the
 * secret nobody can add one.
 */
export function openSignatureMemo(options: SignatureMemoOptions): SignatureMemo {
  const { path } = options;
  let known: Set<string> | undefined;
  const used = new Set<string>();
  let changed = false;
  const load = (): Set<string> => (known ??= new Set(readRows(path, options.secret())));
  return {
    has: (identity) => {
      const has = load().has(identity);
      if (has) used.add(identity);
      return has;
    },
    add: (identity) => {
      load().add(identity);
      used.add(identity);
      changed = true;
    },
    save: () => {
      const secret = changed ? options.secret() : undefined;
      if (secret === undefined) return;
      const rows = [...new Set([...used, ...load()])].slice(0, maxRows);
      const body = Buffer.from(rows.join(""), "latin1");
      changed = !replaceFile(path, Buffer.concat([tagOf(secret, body), body]));
    },
  };
}

function tagOf(secret: Uint8Array, body: Uint8Array): Buffer {
  return createHmac("sha256", secret).update("cuenv signature memo 1\n").update(body).digest();
}

function readRows(path: string, secret: Uint8Array | undefined): string[] {
  if (secret === undefined) return [];
  const bytes = readMemoFile(path, tagBytes + maxRows * rowBytes);
  if (bytes === undefined || bytes.length < tagBytes) return [];
  const body = bytes.subarray(tagBytes);
  if (body.length % rowBytes !== 0) return [];
  if (!timingSafeEqual(bytes.subarray(0, tagBytes), tagOf(secret, body))) return [];
  const text = body.toString("latin1");
  return Array.from({ length: body.length / rowBytes }, (_, row) =>
    text.slice(row * rowBytes, (row + 1) * rowBytes),
  );
}
