import type { Digest, DigestFunction } from "./digest.ts";
import type { FileRecords } from "./file-records.ts";
import type { WriteMark } from "./write-mark.ts";

export type FileKind = "file" | "directory" | "symlink" | "other";

/** What `lstat` says of a path. Times are milliseconds since the epoch, with the fraction that the system gives. */
export interface FileStat {
  readonly kind: FileKind;
  readonly sizeBytes: number;
  readonly mtimeMs: number;
  readonly ctimeMs: number;
  readonly inode: number;
  /** The owner's execute bit; false for everything but files. */
  readonly executable: boolean;
}

/** One name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/**
 * What is known of the files of one workspace: the stat memo behind every fast path.
 *
 * Paths are relative to the workspace root, `/`-separated, without `.` or `..`; the root itself is "".
 * All calls are synchronous (measured 3 to 10 times faster than promises: reference/performance.md 4b).
 *
 * Within one process a path is looked at once until it is invalidated: `stat`, `digest` and `list` answer
 * from memory after the first call. So whoever writes below the workspace, or lets a task write, calls
 * `invalidate` afterwards.
 *
 * Across processes, a digest or a listing is reused only if size, mtime, ctime, inode and mode are equal and
 * the entry was not too young when it was recorded (the racy-mtime rule: a change in the same clock tick
 * would leave the same stat).
 */
export interface FileIndex {
  /** Absolute path of the workspace root. */
  readonly root: string;
  readonly digestFunction: DigestFunction;
  readonly records: FileRecords;
  /**
   * Undefined when nothing is there (or a parent is missing, not a directory, or may not be entered).
   * @throws the system's error when it does not say whether something is there
   */
  stat(path: string): FileStat | undefined;
  /**
   * The digest of a regular file's bytes.
   * @throws the error of the file system when it cannot be read; CuenvError DIGEST_FILE_CHANGED when it kept changing.
   */
  digest(path: string): Digest;
  /**
   * As {@link digest}, but a file that must be read is read by `take`, which gives the digest of what it read: so that a file
   * that is to be stored is read once. `take` is given the absolute path; it is called again when the file changed meanwhile.
   * @throws what `take` throws; CuenvError DIGEST_FILE_CHANGED.
   */
  digestBy(path: string, take: (absolutePath: string) => Promise<Digest>): Promise<Digest>;
  /** The target of a symbolic link, as text. @throws the system's error; one with code EILSEQ when it is not UTF-8 */
  readLink(path: string): string;
  /**
   * The names in a directory, sorted by UTF-8 bytes; an empty list when it is missing or not a directory.
   * @throws the system's error when it is there and cannot be listed
   */
  list(path: string): readonly DirectoryEntry[];
  /**
   * A short hash of what `list` gives, equal in every process as long as names and kinds are equal, "" for a directory
   * that is missing; it does not build the list. For memos of what was found by walking. Throws as `list` does.
   * @param without names that do not count; then the list is built
   */
  listHash(path: string, without?: readonly string[]): string;
  /**
   * Takes somebody's word for the digest of a file that was just written, so that this process need not read it. It holds if the file has that size when it is looked at, and until
   * everything is invalidated; it is not saved.
   * @param mark that the file was given: then it holds if it bears it, whoever wrote it and whatever happened since, and its stat vouches for it, in the next processes, too
   */
  remember(path: string, digest: Digest, mark?: WriteMark): void;
  /** Forgets what this process saw at `path` and below it; the next look goes to the disk. */
  invalidate(path: string): void;
  /** Forgets what this process saw of `path` itself, not of what is below it. */
  invalidateOne(path: string): void;
  /**
   * Writes the memo by rename. Never throws: without it the next run is slower, nothing else.
   * @param unlessLittle not if a few files of thousands are new, which are hashed again sooner than all is written
   */
  save(unlessLittle?: boolean): void;
}
