import type { Digest, DigestFunction } from "@cuenv/digest";
import { decodeEntry, openEnvelope, type VerifyEnvelope } from "./decode-entry.ts";
import { referencedDigests } from "./task-result.ts";

/** The blobs that stored bytes name; undefined when they are no entry that this version can read. What eviction needs of entries. */
export function entryReferences(entry: Uint8Array): readonly Digest[] | undefined {
  const opened = openEnvelope(entry);
  return opened.kind === "entry" ? referencedDigests(opened.result) : undefined;
}

/** Whether stored bytes are a sound entry and lie under their own key. What verification needs of entries. */
export function checkStoredEntry(
  entry: Uint8Array,
  stored: {
    readonly digestFunction: DigestFunction;
    readonly namespace: string;
    readonly hash: string;
  },
): { readonly kind: "sound" } | { readonly kind: "damaged"; readonly detail: string } {
  const opened = openEnvelope(entry);
  // Of another version of cuenv: not ours to judge, and a miss for us.
  if (opened.kind === "unusable" && opened.fault === "unknownVersion") return { kind: "sound" };
  if (opened.kind === "unusable") return { kind: "damaged", detail: opened.detail };
  const { key, namespace } = opened.result;
  const isInPlace =
    key.function === stored.digestFunction &&
    key.hash === stored.hash &&
    namespace === stored.namespace;
  if (isInPlace) return { kind: "sound" };
  return { kind: "damaged", detail: `it was stored for ${key.function}/${namespace}/${key.hash}` };
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
