/** The content-addressed store: contract, disk, memory and tiered stores; capture and restore of outputs. What looks after a store is in `@cuenv/cas/maintenance`. */
export type { BlobMembers } from "./blob-members.ts";
export {
  type BlobSource,
  type BlobStore,
  maxSyncReadBytes,
  type ReadOptions,
} from "./blob-store.ts";
export { type BufferPool, type BufferPoolOptions, createBufferPool } from "./buffer-pool.ts";
export { type CacheFolder, type CacheFolderOptions, openCacheFolder } from "./cache-folder.ts";
export {
  type CapturedOutputs,
  captureOutputs,
  type CaptureOptions,
  type OutputProblem,
} from "./capture-outputs.ts";
export { createDiskBlobMembers, type DiskBlobMembersOptions } from "./disk-blob-members.ts";
export { createDiskBlobStore, type DiskBlobStoreOptions } from "./disk-blob-store.ts";
export {
  assertNamespace,
  entryId,
  type EntryId,
  entryPath,
  isNamespace,
  stagingPrefix,
} from "./disk-layout.ts";
export type { Durability } from "./durability.ts";
export { type EvictionNeed, evictionNeed } from "./eviction-need.ts";
export { fastCdcChunks, fastCdcSizes, type FastCdcSizes } from "./fast-cdc.ts";
export { createMemoryBlobMembers } from "./memory-blob-members.ts";
export { createMemoryBlobStore, type MemoryBlobStoreOptions } from "./memory-blob-store.ts";
export type { OutputEntry } from "./output-entry.ts";
export { isInPlace, parentOf, type RestoreChanges } from "./plan-restore.ts";
export {
  bootIdentity,
  isAbandoned,
  isOfThisMachine,
  processIdentity,
  processStart,
  runningProcess,
} from "./process-identity.ts";
export { processStat } from "./process-stat.ts";
export {
  replacedOutputs,
  restoreChanges,
  restoreOutputs,
  type RestoreOptions,
} from "./restore-outputs.ts";
export type { RestoreMarks } from "./mark-files.ts";
export type { RestoreMissReason, RestoreResult } from "./restore-result.ts";
export { storeUnavailable } from "./system-error.ts";
export { removeTree } from "./remove-tree.ts";
export { createTurns } from "./take-turns.ts";
export { createTieredBlobStore, type TieredBlobStoreOptions } from "./tiered-blob-store.ts";
export { entriesProblem, type EntryProblem } from "./validate-entries.ts";
