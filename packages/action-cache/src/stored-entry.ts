import type { Digest, DigestFunction } from "@cuenv/digest";
import { type ArtifactRecord, artifactKey, openArtifactRecord } from "./artifact-record.ts";
import {
  decodeEntry,
  openEnvelope,
  type UnusableEntry,
  type VerifyEnvelope,
} from "./decode-entry.ts";
import { referencedDigests } from "./task-result.ts";

/** The blobs that stored bytes name; undefined when they are no entry that this version can read. What eviction needs of entries. */
export function entryReferences(entry: Uint8Array): readonly Digest[] | undefined {
  const opened = openEnvelope(entry);
  if (opened.kind === "entry") return referencedDigests(opened.result);
  const artifact = openArtifactRecord(entry);
  return artifact.kind === "record" ? [artifact.record.blob] : undefined;
}

/** Whether stored bytes are a sound entry and lie under their own key. What verification needs of entries. */
export function checkStoredEntry(
  entry: Uint8Array,
  stored: Place,
): { readonly kind: "sound" } | { readonly kind: "damaged"; readonly detail: string } {
  const opened = openEnvelope(entry);
  if (opened.kind === "unusable") return checkStoredArtifact(opened, entry, stored);
  const { key, namespace } = opened.result;
  return checkPlace(stored, { digestFunction: key.function, namespace, hash: key.hash });
}

/** What is no result of a task may be an artifact. */
function checkStoredArtifact(
  opened: UnusableEntry,
  entry: Uint8Array,
  stored: Place,
): ReturnType<typeof checkStoredEntry> {
  const artifact = opened.fault === "unknownVersion" ? openArtifactRecord(entry) : opened;
  if (artifact.kind === "record") return checkPlace(stored, placeOfArtifact(artifact));
  // Of another version of cuenv: not ours to judge, and a miss for us.
  if (artifact.fault === "unknownVersion") return { kind: "sound" };
  return { kind: "damaged", detail: artifact.detail };
}

interface Place {
  readonly digestFunction: DigestFunction;
  readonly namespace: string;
  readonly hash: string;
}

function placeOfArtifact(artifact: {
  readonly record: ArtifactRecord;
  readonly digestFunction: DigestFunction;
}): Place {
  const { digestFunction, record } = artifact;
  const { digest, namespace } = artifactKey(digestFunction, record);
  return { digestFunction, namespace, hash: digest.hash };
}

function checkPlace(
  stored: Place,
  named: Place,
): { readonly kind: "sound" } | { readonly kind: "damaged"; readonly detail: string } {
  const isInPlace =
    named.digestFunction === stored.digestFunction &&
    named.hash === stored.hash &&
    named.namespace === stored.namespace;
  if (isInPlace) return { kind: "sound" };
  const place = `${named.digestFunction}/${named.namespace}/${named.hash}`;
  return { kind: "damaged", detail: `it was stored for ${place}` };
}

/** As {@link checkStoredEntry}, and whether it would be used: signed by whom it would have to be. */
export function checkStoredSignature(
  entry: Uint8Array,
  stored: Parameters<typeof checkStoredEntry>[1],
  verify: VerifyEnvelope,
): ReturnType<typeof checkStoredEntry> | { readonly kind: "untrusted"; readonly detail: string } {
  const checked = checkStoredEntry(entry, stored);
  if (checked.kind === "damaged") return checked;
  const digest = { hash: stored.hash, sizeBytes: 0 };
  const decoded = decodeEntry(entry, { ...stored, digest }, verify);
  return decoded.kind === "refused" ? { kind: "untrusted", detail: decoded.detail } : checked;
}

/** The ids of the keys that stored bytes say they were signed with; empty when they are no entry. It proves nothing. */
export function claimedKeyIds(entry: Uint8Array): readonly string[] {
  const opened = openEnvelope(entry);
  return opened.kind === "entry" ? opened.signatures.map(({ keyid }) => keyid) : [];
}
