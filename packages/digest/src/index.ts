/** Digests, hash functions, hashing of files, and the index of what was hashed. */
export { blake3Engine } from "./blake3.ts";
export { compareUtf8 } from "./compare-utf8.ts";
export { createFileIndex, type FileIndexOptions } from "./create-file-index.ts";
export { formatListing, hashListing } from "./directory-listing.ts";
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
export { createFileAppender, type FileAppender } from "./file-appender.ts";
export type { DirectoryEntry, FileIndex, FileKind, FileStat } from "./file-index.ts";
export {
  type FileRecords,
  numberRanges,
  type RecordedContent,
  type SavedRecords,
} from "./file-records.ts";
export { foldersAbove } from "./folders-above.ts";
export { type HashedFile, hashFile, hashFileInTurns } from "./hash-file.ts";
export { hashLargeFiles, largeFileBytes } from "./hash-large-files.ts";
export { createHasher, emptyDigest, hashBytes, hashText, type Hasher } from "./hasher.ts";
export { makeFolders } from "./make-folders.ts";
export { isSharedFolder } from "./shared-folder.ts";
export {
  appendToFile,
  isAbsence,
  isRefused,
  ownFileReadFlags,
  readMemoFile,
  readMemoStart,
  readPiece,
  readRegularFile,
} from "./own-file.ts";
export { isRacy } from "./racy-stat.ts";
export { replaceFile } from "./replace-file.ts";
export { checksum, type Seal, secretSeal } from "./seal.ts";
export { readSealedRows, sealRows, unusedRows } from "./sealed-rows.ts";
export { sealText, unsealText } from "./sealed-text.ts";
export { createMarkClock, type WriteMark } from "./write-mark.ts";
