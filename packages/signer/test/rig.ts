import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CuenvError } from "@cuenv/errors";
import { onTestFinished } from "vitest";
import { createSigner } from "../src/create-signer.ts";
import { generateKeyPair, type KeyPair } from "../src/ed25519.ts";
import type { SignedEnvelope } from "../src/envelope.ts";
import type { TrustedKey, TrustedKeys } from "../src/trusted-key.ts";

export const payloadType = "application/vnd.cuenv.task-result.v1+json";
export const payload: Uint8Array = Buffer.from('{"key":"k","namespace":"default"}');

/** A folder of the present test's own. */
export function folder(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), "signer-")));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export function signed(pair: KeyPair, bytes: Uint8Array = payload): SignedEnvelope {
  return {
    payload: bytes,
    payloadType,
    signatures: [createSigner(pair).sign(payloadType, bytes)],
  };
}

export function trusted(pair: KeyPair, changed: Partial<TrustedKey> = {}): TrustedKey {
  return {
    id: pair.id,
    publicKey: pair.publicKey,
    name: undefined,
    roles: ["developer"],
    namespaces: ["default"],
    notBeforeMs: undefined,
    notAfterMs: undefined,
    revoked: undefined,
    ...changed,
  };
}

export function keysOf(...keys: readonly TrustedKey[]): TrustedKeys {
  return new Map(keys.map((key) => [key.id, key]));
}

export function errorOf(step: () => unknown): CuenvError {
  try {
    step();
  } catch (error) {
    if (error instanceof CuenvError) return error;
    throw error;
  }
  throw new Error("expected an error");
}

export const pair: KeyPair = generateKeyPair();
export const other: KeyPair = generateKeyPair();
