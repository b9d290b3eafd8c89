import type { Digest, DigestFunction } from "@cuenv/digest";
import { actionResultKey, openActionResultRecord } from "./action-result-record.ts";
import { artifactKey, decodeArtifactRecord, openArtifactRecord } from "./artifact-record.ts";
import {
  decodeEntry,
  openEnvelope,
  type UnusableEntry,
  unusable,
  type VerifyEnvelope,
} from "./decode-entry.ts";
import { referencedDigests } from "./task-result.ts";

/** Any entry that this version can read, whatever stored it: what it needs, and where it belongs. */
interface OpenedEntry {
  readonly kind: "opened";
  readonly references: () => readonly Digest[];
  readonly place: Place;
}

/** A payload is of one kind, which its type says: of the others it is an unknown version. */
function openAny(entry: Uint8Array): OpenedEntry | UnusableEntry {
  const task = openEnvelope(entry);
  if (task.kind === "entry") {
    const { key, namespace } = task.result;
    const place = { digestFunction: key.function, namespace, hash: key.hash };
    return { kind: "opened", references: () => referencedDigests(task.result), place };
  }
  if (task.fault !== "unknownVersion") return task;
  const artifact = openArtifactRecord(entry);
  if (artifact.kind === "record") {
    const { record, digestFunction } = artifact;
    const place = placeOf(digestFunction, artifactKey(digestFunction, record));
    return { kind: "opened", references: () => [record.blob], place };
  }
  if (artifact.fault !== "unknownVersion") return artifact;
  const action = openActionResultRecord(entry);
  if (action.kind === "unusable") return action;
  const { record, digestFunction } = action;
  const place = placeOf(digestFunction, actionResultKey(digestFunction, record));
  return { kind: "opened", references: () => record.references, place };
}

function placeOf(
  digestFunction: DigestFunction,
  { digest, namespace }: { readonly digest: Digest; readonly namespace: string },
): Place {
  return { digestFunction, namespace, hash: digest.hash };
}

/** The blobs that stored bytes name; undefined when they are no entry that this version can read. What eviction needs of entries. */
export function entryReferences(entry: Uint8Array): readonly Digest[] | undefined {
  const opened = openAny(entry);
  return opened.kind === "opened" ? opened.references() : undefined;
}

/** Whether stored bytes are a sound entry and lie under their own key. What verification needs of entries. */
export function checkStoredEntry(
  entry: Uint8Array,
  stored: Place,
): { readonly kind: "sound" } | { readonly kind: "damaged"; readonly detail: string } {
  const opened = openAny(entry);
  if (opened.kind === "opened") return checkPlace(stored, opened.place);
  // Of another version of cuenv: not ours to judge, and a miss for us.
  if (opened.fault === "unknownVersion") return { kind: "sound" };
  return { kind: "damaged", detail: opened.detail };
}

interface Place {
  readonly digestFunction: DigestFunction;
  readonly namespace: string;
  readonly hash: string;
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
  return { kind: "damaged", detail: unusable("keyMismatch", `it was stored for ${place}`).detail };
}

/**
 * As {@link checkStoredEntry}, and whether it would be used: signed by whom it would have to be. An artifact without a signature is one of a
 * server that believes its clients, and has none to be looked at.
 */
export function checkStoredSignature(
  entry: Uint8Array,
  stored: Parameters<typeof checkStoredEntry>[1],
  verify: VerifyEnvelope,
): ReturnType<typeof checkStoredEntry> | { readonly kind: "untrusted"; readonly detail: string } {
  const checked = checkStoredEntry(entry, stored);
  if (checked.kind === "damaged") return checked;
  const artifact = openArtifactRecord(entry);
  if (artifact.kind === "record" && artifact.signatures.length === 0) return checked;
  const digest = { hash: stored.hash, sizeBytes: 0 };
  const decoded =
    artifact.kind === "record"
      ? decodeArtifactRecord(entry, stored.digestFunction, artifact.record, verify)
      : decodeEntry(entry, { ...stored, digest }, verify);
  return decoded.kind === "refused" ? { kind: "untrusted", detail: decoded.detail } : checked;
}

/** The ids of the keys that stored bytes say they were signed with; empty when they are no entry. It proves nothing. */
export function claimedKeyIds(entry: Uint8Array): readonly string[] {
  const opened = [openEnvelope(entry), openArtifactRecord(entry)].find(
    (each) => each.kind !== "unusable",
  );
  return opened?.signatures.map(({ keyid }) => keyid) ?? [];
}
