import type { OutputEntry } from "@cuenv/cas";
import { type Digest, type DigestFunction, formatDigest, hashBytes } from "@cuenv/digest";
import type { EnvelopeSignature } from "@cuenv/signer";
import { canonicalJson, type JsonValue } from "./canonical-json.ts";
import type { TaskResult } from "./task-result.ts";

/*
 * An entry:
 *
 *     cuenv-entry 1 <function> <hash of everything after this line>\n
 *     {"payload":"<base64>","payloadType":"application/vnd.cuenv.task-result.v1+json","signatures":[…]}
 *
 * The second line is a DSSE envelope. Its payload is the result as canonical JSON (RFC 8785); what is signed, and what is read, are
 * these exact bytes. The first line makes a flipped bit a miss where nothing is signed; it proves nothing about who wrote the entry.
 */
export const entryMagic = "cuenv-entry 1";
export const payloadType = "application/vnd.cuenv.task-result.v1+json";
/** Of an {@link ArtifactRecord}. */
export const artifactPayloadType = "application/vnd.cuenv.artifact.v1+json";
/** Of an {@link ActionResultRecord}. */
export const actionResultPayloadType = "application/vnd.cuenv.action-result.v1+json";
/** The version of the payload's fields. */
export const payloadVersion = 1;

/** One DSSE signature over the payload. */
export type EntrySignature = EnvelopeSignature;

/** Signs what is to be stored; with no key to sign with there are no signatures. */
export type SignPayload = (
  payloadType: string,
  payload: Uint8Array,
) => Promise<readonly EntrySignature[]>;

/** The exact bytes of a result: what is signed. */
export function encodePayload(result: TaskResult): Uint8Array {
  return Buffer.from(canonicalJson(payloadOf(result)));
}

/** An entry around a payload, ready for a store. */
export function encodeEntry(
  payload: Uint8Array,
  digestFunction: DigestFunction,
  signatures: readonly EntrySignature[] = [],
  type: string = payloadType,
): Uint8Array {
  const envelope = canonicalJson({
    payload: Buffer.from(payload).toString("base64"),
    payloadType: type,
    signatures: signatures.map(({ keyid, sig }) => ({ keyid, sig })),
  });
  const body = Buffer.from(envelope);
  const { hash } = hashBytes(digestFunction, body);
  return Buffer.concat([Buffer.from(`${entryMagic} ${digestFunction} ${hash}\n`), body]);
}

function payloadOf(result: TaskResult): JsonValue {
  return {
    v: payloadVersion,
    key: { ...result.key },
    namespace: result.namespace,
    outputs: result.outputs.map(outputOf),
    declaredOutputs: result.declaredOutputs,
    exitCode: result.exitCode,
    stdout: digestOf(result.stdout),
    stderr: digestOf(result.stderr),
    keyInputs: digestOf(result.keyInputs),
    keyEpoch: result.keyEpoch,
    keySchema: result.keySchema,
    builder: { ...result.builder },
    provenance: result.provenance,
    startedAt: result.startedAt,
    durationMs: result.durationMs,
  };
}

function digestOf(digest: Digest | null): string | null {
  return digest === null ? null : formatDigest(digest);
}

function outputOf(entry: OutputEntry): JsonValue {
  switch (entry.kind) {
    case "file":
      return {
        kind: "file",
        path: entry.path,
        digest: formatDigest(entry.digest),
        executable: entry.executable,
      };
    case "symlink":
      return { kind: "symlink", path: entry.path, target: entry.target };
    case "directory":
      return { kind: "directory", path: entry.path };
  }
}
