export {
  type BlobSource,
  type BlobStore,
  maxSyncReadBytes,
  type ReadOptions,
} from "./blob-store.ts";
export type { OutputEntry } from "./output-entry.ts";
