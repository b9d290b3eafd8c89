import {
  type Digest,
  digestFunctions,
  type DigestFunction,
  equalDigests,
  formatDigest,
  hashText,
  parseDigest,
} from "@cuenv/digest";
import type { Refusal } from "@cuenv/signer";
import type { ActionKey } from "./action-store.ts";
import { canonicalJson } from "./canonical-json.ts";
import {
  isRecord,
  parseJson,
  readEnvelope,
  type UnusableEntry,
  unusable,
  type VerifyEnvelope,
} from "./decode-entry.ts";
import {
  artifactPayloadType,
  encodeEntry,
  type EntrySignature,
  type SignPayload,
} from "./encode-entry.ts";

/**
 * One artifact of a client that keeps its own format: the archive of a Turborepo task, say. The bytes are one opaque blob; this names them.
 * It is stored as an entry, beside the results of tasks, so that eviction and verification know it.
 */
export interface ArtifactRecord {
  /** Whose names these are: `turborepo`. */
  readonly protocol: string;
  readonly namespace: string;
  /** As the client gave it, checked by its front end. */
  readonly name: string;
  readonly blob: Digest;
  /** What the client sent along and gets back. */
  readonly headers: Readonly<Record<string, string>>;
  /** Name of the credential that wrote it. */
  readonly writer: string;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly storedAt: string;
}

const recordVersion = 1;
const maxHeaders = 32;
const maxTextChars = 8192;

/** What an artifact is stored under. No name of one protocol is that of another, or the key of a task. */
export function artifactKey(
  digestFunction: DigestFunction,
  artifact: Pick<ArtifactRecord, "protocol" | "namespace" | "name">,
): ActionKey {
  const { protocol, namespace, name } = artifact;
  const digest = hashText(digestFunction, canonicalJson(["artifact", protocol, name]));
  return { digest, namespace };
}

/**
 * What an artifact is stored under in a cache that a server shares with others, all of whose namespaces are in one of that cache: the one that
 * the server's credential is for.
 */
export function sharedArtifactKey(
  digestFunction: DigestFunction,
  artifact: Pick<ArtifactRecord, "protocol" | "namespace" | "name">,
  sharedNamespace: string,
): ActionKey {
  const { protocol, namespace, name } = artifact;
  const text = canonicalJson(["shared artifact", namespace, protocol, name]);
  return { digest: hashText(digestFunction, text), namespace: sharedNamespace };
}

/** Without `sign`, unsigned: who may write into the store is believed. */
export async function encodeArtifactRecord(
  record: ArtifactRecord,
  digestFunction: DigestFunction,
  sign?: SignPayload,
): Promise<Uint8Array> {
  const text = canonicalJson({
    v: recordVersion,
    ...record,
    blob: { function: digestFunction, digest: formatDigest(record.blob) },
  });
  const payload = Buffer.from(text);
  const signatures = await sign?.(artifactPayloadType, payload);
  return encodeEntry(payload, digestFunction, signatures, artifactPayloadType);
}

/**
 * Reads the record that was asked for. Whatever is odd about it makes it unusable; nothing is thrown. With `verify`, nothing of it is
 * parsed before its signature was accepted.
 */
export function decodeArtifactRecord(
  bytes: Uint8Array,
  digestFunction: DigestFunction,
  asked: Pick<ArtifactRecord, "protocol" | "namespace" | "name">,
  verify?: VerifyEnvelope,
): { readonly kind: "record"; readonly record: ArtifactRecord } | UnusableEntry | Refusal {
  const envelope = readEnvelope(bytes, artifactPayloadType);
  if (envelope.kind === "unusable") return envelope;
  const verdict = verify?.(envelope, asked);
  if (verdict?.kind === "refused") return verdict;
  const opened = parsePayload(envelope.payload);
  if (opened.kind === "unusable") return opened;
  const { record } = opened;
  const refused = verdict?.refuseTime(Date.parse(record.storedAt));
  if (refused !== undefined) return refused;
  const key = artifactKey(digestFunction, record);
  const isAsked =
    opened.digestFunction === digestFunction &&
    equalDigests(key.digest, artifactKey(digestFunction, asked).digest) &&
    record.namespace === asked.namespace;
  return isAsked
    ? { kind: "record", record }
    : unusable("keyMismatch", `it was stored for ${record.namespace}/${record.name}`);
}

/** Reads a record without asking for which: for eviction and verification. */
export function openArtifactRecord(
  bytes: Uint8Array,
): (OpenedRecord & { readonly signatures: readonly EntrySignature[] }) | UnusableEntry {
  const envelope = readEnvelope(bytes, artifactPayloadType);
  if (envelope.kind === "unusable") return envelope;
  const opened = parsePayload(envelope.payload);
  return opened.kind === "unusable" ? opened : { ...opened, signatures: envelope.signatures };
}

interface OpenedRecord {
  readonly kind: "record";
  readonly record: ArtifactRecord;
  readonly digestFunction: DigestFunction;
}

function parsePayload(payload: Uint8Array): OpenedRecord | UnusableEntry {
  const fields = parseJson(payload);
  if (!isRecord(fields)) return unusable("corrupt", "the record is no object");
  if (fields["v"] !== recordVersion)
    return unusable("unknownVersion", `record version ${String(fields["v"])}`);
  return parseRecord(fields) ?? unusable("corrupt", "the record is malformed");
}

type Fields = Readonly<Record<string, unknown>>;

function parseRecord(fields: Fields) {
  const { protocol, namespace, name, writer, storedAt, headers, blob } = fields;
  if (!isText(protocol) || !isText(namespace) || !isText(name)) return undefined;
  if (!isText(writer) || !isText(storedAt) || !Number.isFinite(Date.parse(storedAt)))
    return undefined;
  if (!isRecord(blob) || !isText(blob["digest"]) || !areTexts(headers)) return undefined;
  const digestFunction = digestFunctions.find((known) => known === blob["function"]);
  const digest = digestOf(blob["digest"]);
  if (digestFunction === undefined || digest === undefined) return undefined;
  const record = { protocol, namespace, name, blob: digest, headers, writer, storedAt };
  return { kind: "record" as const, record, digestFunction };
}

function digestOf(text: string): Digest | undefined {
  try {
    return parseDigest(text);
  } catch {
    return undefined;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxTextChars;
}

function areTexts(value: unknown): value is Readonly<Record<string, string>> {
  if (!isRecord(value)) return false;
  const texts = Object.values(value);
  return texts.length <= maxHeaders && texts.every(isText);
}
