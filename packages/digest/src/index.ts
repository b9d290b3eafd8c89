/** Digests, hash functions, hashing of files, and the index of what was hashed. */
export {
  assertDigest,
  type Digest,
  type DigestFunction,
  digestFunctions,
  equalDigests,
  formatDigest,
  isHash,
  parseDigest,
} from "./digest.ts";
export type { DirectoryEntry, FileIndex, FileKind, FileStat } from "./file-index.ts";
