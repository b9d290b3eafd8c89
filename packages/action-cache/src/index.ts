/** The action cache: from the digest of an Action to its stored result. */
export {
  type ActionCache,
  type ActionCacheOptions,
  createActionCache,
  type Lookup,
  type LookupMissReason,
  type LookupOptions,
} from "./action-cache.ts";
export { isNamespace } from "@cuenv/cas";
export { assertActionKey } from "./action-key.ts";
export {
  actionResultKey,
  type ActionResultRecord,
  decodeActionResultRecord,
  encodeActionResultRecord,
} from "./action-result-record.ts";
export type { ActionKey, ActionStore, VersionedEntry } from "./action-store.ts";
export {
  artifactKey,
  type ArtifactRecord,
  decodeArtifactRecord,
  encodeArtifactRecord,
  sharedArtifactKey,
} from "./artifact-record.ts";
export { canonicalJson, type JsonValue } from "./canonical-json.ts";
export {
  getActionResult,
  getContent,
  hasActionResult,
  hasContent,
  maxContentBytes,
  uploadActionResult,
  uploadContent,
} from "./content-operations.ts";
export {
  type DecodedEntry,
  decodeEntry,
  decodeEntryByHash,
  type EntryFault,
  maxEntryBytes,
  openEnvelope,
  type UnusableEntry,
  type VerifyEnvelope,
} from "./decode-entry.ts";
export { createDiskActionStore, type DiskActionStoreOptions } from "./disk-action-store.ts";
export {
  encodeEntry,
  encodePayload,
  type EntrySignature,
  payloadType,
  type SignPayload,
} from "./encode-entry.ts";
export {
  createEntryMemo,
  type EntryKey,
  type EntryMemo,
  type EntryMemoOptions,
  type RememberedEntry,
} from "./entry-memo.ts";
export type { TrustsSigner } from "./read-entry.ts";
export { createMemoryActionStore, type MemoryActionStoreOptions } from "./memory-action-store.ts";
export {
  checkStoredEntry,
  checkStoredSignature,
  claimedKeyIds,
  entryReferences,
} from "./stored-entry.ts";
export { type Builder, endOf, referencedDigests, type TaskResult } from "./task-result.ts";
export { createTieredActionStore, type TieredActionStoreOptions } from "./tiered-action-store.ts";
