/** The action cache: from the digest of an Action to its stored result. */
export {
  type ActionCache,
  type ActionCacheOptions,
  createActionCache,
  type Lookup,
  type LookupMissReason,
  type LookupOptions,
} from "./action-cache.ts";
export { assertActionKey, isNamespace } from "./action-key.ts";
export type { ActionKey, ActionStore } from "./action-store.ts";
export {
  artifactKey,
  type ArtifactRecord,
  decodeArtifactRecord,
  encodeArtifactRecord,
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
  type EntryFault,
  maxEntryBytes,
  openEnvelope,
  type UnusableEntry,
  type VerifyEnvelope,
} from "./decode-entry.ts";
export { createDiskActionStore, type DiskActionStoreOptions } from "./disk-action-store.ts";
export { encodeEntry, encodePayload, type EntrySignature, payloadType } from "./encode-entry.ts";
export { createMemoryActionStore, type MemoryActionStoreOptions } from "./memory-action-store.ts";
export {
  checkStoredEntry,
  checkStoredSignature,
  claimedKeyIds,
  entryReferences,
} from "./stored-entry.ts";
export { type Builder, referencedDigests, type TaskResult } from "./task-result.ts";
export { createTieredActionStore, type TieredActionStoreOptions } from "./tiered-action-store.ts";
