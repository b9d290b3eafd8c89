import type { Acceptance, PublicKey, Refusal, SignedEnvelope } from "@cuenv/signer";
import { digestFunctions, type DigestFunction, equalDigests, hashBytes } from "@cuenv/digest";
import type { ActionKey } from "./action-store.ts";
import { entryMagic, type EntrySignature, payloadType } from "./encode-entry.ts";
import { parseTaskResult } from "./parse-task-result.ts";
import { endOf, type TaskResult } from "./task-result.ts";

/** No entry is larger (64 MiB, about 400 000 output files). */
export const maxEntryBytes: number = 64 * 1024 * 1024;

/**
 * corrupt: damaged, or not an entry. unknownVersion: of a cuenv that is newer or older. keyMismatch: sound, but stored under another
 * key or namespace (a copied file, a confused server). tooLarge: beyond {@link maxEntryBytes}.
 */
export type EntryFault = "corrupt" | "unknownVersion" | "keyMismatch" | "tooLarge";

export interface DecodedEntry {
  readonly kind: "entry";
  readonly result: TaskResult;
  /** The bytes that signatures are over. */
  readonly payload: Uint8Array;
  readonly payloadType: string;
  readonly signatures: readonly EntrySignature[];
  /** Whose signature was accepted; undefined: none was asked for. */
  readonly signer?: PublicKey;
}

export interface UnusableEntry {
  readonly kind: "unusable";
  readonly fault: EntryFault;
  readonly detail: string;
}

/** Whether the bytes of an envelope come from whom they may come: `Verifier.verify`, or undefined where signatures are not asked for. */
export type VerifyEnvelope = (
  envelope: SignedEnvelope,
  context: { readonly namespace: string },
) => Acceptance | Refusal;

/** An envelope whose hash is right, and nothing more: its payload is not parsed yet. */
interface OpenedEnvelope extends SignedEnvelope {
  readonly kind: "envelope";
}

const firstLine = /^(cuenv-entry \d+) ([a-z0-9]+) ([0-9a-f]{64})$/;
const maxFirstLineBytes = 128;
const maxSignatures = 64;

/**
 * Reads an entry that was asked for by `key`. Whatever is odd about it makes it unusable; nothing is thrown. With `verify`, nothing of
 * the payload is parsed before its signature was accepted.
 */
export function decodeEntry(
  bytes: Uint8Array,
  key: ActionKey & { readonly digestFunction: DigestFunction },
  verify?: VerifyEnvelope,
): DecodedEntry | UnusableEntry | Refusal {
  const decoded = decodeEntryByHash(bytes, key, verify);
  if (decoded.kind !== "entry" || equalDigests(decoded.result.key, key.digest)) return decoded;
  return storedForAnother(decoded.result);
}

/** As {@link decodeEntry} for who knows no more than the key's hash, which is what an entry is found by: the digest's size is not looked at. */
export function decodeEntryByHash(
  bytes: Uint8Array,
  key: ActionKey & { readonly digestFunction: DigestFunction },
  verify?: VerifyEnvelope,
): DecodedEntry | UnusableEntry | Refusal {
  const envelope = readEnvelope(bytes);
  if (envelope.kind === "unusable") return envelope;
  const verdict = verify?.(envelope, key);
  if (verdict?.kind === "refused") return verdict;
  const opened = parsePayload(envelope);
  if (opened.kind === "unusable") return opened;
  const { result } = opened;
  const refused = verdict?.refuseTime(endOf(result));
  if (refused !== undefined) return refused;
  const sameKey =
    result.key.function === key.digestFunction &&
    result.key.hash === key.digest.hash &&
    result.namespace === key.namespace;
  if (!sameKey) return storedForAnother(result);
  const signer = verdict && { id: verdict.keyId, publicKey: verdict.publicKey };
  return signer === undefined ? opened : { ...opened, signer };
}

function storedForAnother({ namespace, key }: TaskResult): UnusableEntry {
  return unusable("keyMismatch", `it was stored for ${namespace}/${key.hash}`);
}

/** Reads an entry without asking for whom or by whom: for eviction and verification. */
export function openEnvelope(bytes: Uint8Array): DecodedEntry | UnusableEntry {
  const envelope = readEnvelope(bytes);
  return envelope.kind === "unusable" ? envelope : parsePayload(envelope);
}

/** An envelope around a payload of `type`, whole and unchanged. */
export function readEnvelope(
  bytes: Uint8Array,
  type: string = payloadType,
): OpenedEnvelope | UnusableEntry {
  if (bytes.length > maxEntryBytes) return unusable("tooLarge", `${bytes.length} bytes`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = buffer.subarray(0, maxFirstLineBytes).indexOf("\n");
  const match = end < 0 ? null : firstLine.exec(buffer.toString("latin1", 0, end));
  if (match === null) return unusable("corrupt", "it does not begin as an entry");
  const [, magic, functionName, hash] = match;
  const digestFunction = digestFunctions.find((known) => known === functionName);
  if (magic !== entryMagic || digestFunction === undefined) {
    return unusable("unknownVersion", `${magic} ${functionName}`);
  }
  const body = buffer.subarray(end + 1);
  if (hashBytes(digestFunction, body).hash !== hash)
    return unusable("corrupt", "its hash is not that of its bytes");
  return parseEnvelope(body, type);
}

const maxDetailChars = 300;

/** The detail may have words of the entry's own, that is, of anybody's: no control character of them reaches a terminal or a log, and no second line. */
export function unusable(fault: EntryFault, detail: string): UnusableEntry {
  const shown = detail
    .slice(0, maxDetailChars)
    .replaceAll(
      /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
      (each) => `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
    );
  return { kind: "unusable", fault, detail: shown };
}

function parseEnvelope(body: Buffer, wanted: string): OpenedEnvelope | UnusableEntry {
  const envelope = parseJson(body);
  if (!isRecord(envelope) || Object.keys(envelope).length !== 3)
    return unusable("corrupt", "its envelope is malformed");
  const { payload: encoded, payloadType: type, signatures } = envelope;
  if (typeof encoded !== "string" || typeof type !== "string" || !areSignatures(signatures)) {
    return unusable("corrupt", "its envelope is malformed");
  }
  if (type !== wanted) return unusable("unknownVersion", `payload ${type.slice(0, 100)}`);
  const payload = Buffer.from(encoded, "base64");
  // Node skips what is not base64; one text for one payload only.
  if (payload.toString("base64") !== encoded)
    return unusable("corrupt", "its payload is malformed");
  return { kind: "envelope", payload, payloadType: type, signatures };
}

function parsePayload(envelope: OpenedEnvelope): DecodedEntry | UnusableEntry {
  const result = parseTaskResult(parseJson(envelope.payload));
  if (result.kind === "result") return { ...envelope, kind: "entry", result: result.result };
  return unusable(result.kind === "version" ? "unknownVersion" : "corrupt", result.detail);
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("utf8"));
  } catch {
    return undefined;
  }
}

/** A JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areSignatures(value: unknown): value is EntrySignature[] {
  return (
    Array.isArray(value) &&
    value.length <= maxSignatures &&
    value.every(
      (each) =>
        isRecord(each) && typeof each["keyid"] === "string" && typeof each["sig"] === "string",
    )
  );
}
