import {
  type Digest,
  type DigestFunction,
  digestFunctions,
  equalDigests,
  formatDigest,
  hashText,
  parseDigest,
} from "@cuenv/digest";
import type { ActionKey } from "./action-store.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isRecord, parseJson, readEnvelope, type UnusableEntry, unusable } from "./decode-entry.ts";
import { actionResultPayloadType, encodeEntry } from "./encode-entry.ts";

/**
 * One ActionResult that a client of the Remote Execution API stored. The message is kept as it came; beside it stands what it names, so that eviction keeps
 * it together, and a look whether everything is there need not read directories again.
 */
export interface ActionResultRecord {
  readonly namespace: string;
  /** What the client's instance name has after the namespace; empty: nothing. */
  readonly instance: string;
  readonly action: Digest;
  /** The ActionResult message. */
  readonly result: Uint8Array;
  /** The blobs that it needs, directories' files among them; none twice, none empty. */
  readonly references: readonly Digest[];
  /** False: a directory was not here when it was stored, so that `references` lacks what is in it. */
  readonly isWhole: boolean;
  /** Name of the credential that wrote it. */
  readonly writer: string;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly storedAt: string;
}

type Name = Pick<ActionResultRecord, "namespace" | "instance" | "action">;

const recordVersion = 1;
const maxTextChars = 8192;

/** What such a result is stored under: not the Action's own digest, under which cuenv stores what its tasks gave. */
export function actionResultKey(
  digestFunction: DigestFunction,
  { namespace, instance, action }: Name,
): ActionKey {
  const text = canonicalJson(["action-result", instance, formatDigest(action)]);
  return { digest: hashText(digestFunction, text), namespace };
}

export function encodeActionResultRecord(
  record: ActionResultRecord,
  digestFunction: DigestFunction,
): Uint8Array {
  const payload = canonicalJson({
    v: recordVersion,
    ...record,
    action: { function: digestFunction, digest: formatDigest(record.action) },
    result: Buffer.from(record.result).toString("base64"),
    references: record.references.map(formatDigest),
  });
  return encodeEntry(Buffer.from(payload), digestFunction, [], actionResultPayloadType);
}

/** Reads the record that was asked for. Whatever is odd about it makes it unusable; nothing is thrown. */
export function decodeActionResultRecord(
  bytes: Uint8Array,
  digestFunction: DigestFunction,
  asked: Name,
): { readonly kind: "record"; readonly record: ActionResultRecord } | UnusableEntry {
  const opened = openActionResultRecord(bytes);
  if (opened.kind === "unusable") return opened;
  const { record } = opened;
  const isAsked =
    opened.digestFunction === digestFunction &&
    record.namespace === asked.namespace &&
    record.instance === asked.instance &&
    equalDigests(record.action, asked.action);
  return isAsked
    ? { kind: "record", record }
    : unusable("keyMismatch", `it was stored for ${record.namespace}/${record.action.hash}`);
}

/** Reads a record without asking for which: for eviction and verification. */
export function openActionResultRecord(bytes: Uint8Array):
  | {
      readonly kind: "record";
      readonly record: ActionResultRecord;
      readonly digestFunction: DigestFunction;
    }
  | UnusableEntry {
  const envelope = readEnvelope(bytes, actionResultPayloadType);
  if (envelope.kind === "unusable") return envelope;
  const fields = parseJson(envelope.payload);
  if (!isRecord(fields)) return unusable("corrupt", "the record is no object");
  if (fields["v"] !== recordVersion)
    return unusable("unknownVersion", `record version ${String(fields["v"])}`);
  return parseRecord(fields) ?? unusable("corrupt", "the record is malformed");
}

function parseRecord(fields: Readonly<Record<string, unknown>>) {
  const { namespace, instance, writer, storedAt, action, result, references, isWhole } = fields;
  if (!isText(namespace) || !isText(instance) || !isText(writer) || !isText(storedAt))
    return undefined;
  if (!isRecord(action) || typeof result !== "string" || !Array.isArray(references))
    return undefined;
  if (typeof isWhole !== "boolean") return undefined;
  const digestFunction = digestFunctions.find((known) => known === action["function"]);
  const digest = digestOf(action["digest"]);
  const named = references.map(digestOf);
  if (
    digestFunction === undefined ||
    digest === undefined ||
    !named.every((each) => each !== undefined)
  )
    return undefined;
  const record: ActionResultRecord = {
    namespace,
    instance,
    action: digest,
    result: Buffer.from(result, "base64"),
    references: named,
    isWhole,
    writer,
    storedAt,
  };
  return { kind: "record" as const, record, digestFunction };
}

function digestOf(text: unknown): Digest | undefined {
  return typeof text === "string" ? parseDigest(text) : undefined;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= maxTextChars;
}
