import { CuenvError } from "@cuenv/errors";
import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  utimesSync,
} from "node:fs";
import { dirname } from "node:path";
import {
  createFlags,
  readFlags,
  removeQuietly,
  renameInto,
  syncDirectory,
  writeFully,
} from "./atomic-write.ts";
import { cachedirTag, type DiskLayout, diskLayout, type EntryId, readme } from "./disk-layout.ts";
import { createDurability, type Durability } from "./durability.ts";
import { inspectFolder } from "./folder-trust.ts";
import { moveToQuarantine } from "./quarantine.ts";
import { errorCode, isAbsence, storeUnavailable } from "./system-error.ts";
import { createTemporaryFolder } from "./temporary-folder.ts";
import { createUseRecorder } from "./use-recorder.ts";

/** A use of a blob is noted in its mtime when the mtime is older than this (30 min): 1000 hits do not write 1000 inodes. */
export const touchIntervalMs: number = 30 * 60 * 1000;

export interface CacheFolderOptions {
  /** Absolute path; it need not exist, and is made by the first write. */
  readonly root: string;
  readonly durability?: Durability;
  /** Nothing is written: no entry, no use, no quarantine. For the modes that do not write. */
  readonly readOnly?: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly touchIntervalMs?: number;
  /** Something that the user should know once: one line. */
  readonly onWarning?: (message: string) => void;
}

/** A file that is being written in `tmp`, open for writing. */
export interface TemporaryFile {
  readonly path: string;
  readonly file: number;
}

/**
 * The cache folder of this process: what the disk stores share. Opening it touches nothing; the first read decides whether it
 * can be trusted, the first write makes it.
 */
export interface CacheFolder {
  readonly root: string;
  readonly layout: DiskLayout;
  readonly durability: Durability;
  readonly readOnly: boolean;
  now(): number;
  /** @throws {CuenvError} CAS_STORE_UNAVAILABLE when the folder is not to be trusted. */
  assertReadable(): void;
  /** Makes the folder. @throws {CuenvError} CAS_STORE_UNAVAILABLE */
  assertWritable(): void;
  /** Up to `maxBytes` of a regular file, undefined when there is none. @throws system errors, and EFBIG. */
  readFile(path: string, maxBytes: number): Buffer | undefined;
  /** @throws system errors */
  createTemporary(): TemporaryFile;
  /** Puts a temporary file in its place, and closes it. */
  commit(temporary: TemporaryFile, target: string): void;
  discard(temporary: TemporaryFile): void;
  /** Writes a whole file atomically; durable when the policy is not `relaxed`. @throws system errors */
  writeFile(target: string, bytes: Uint8Array): void;
  /** Makes what was committed durable, as the policy says. Called once before an entry that names the blobs is stored. */
  barrier(): Promise<void>;
  /** Notes a use in the mtime, if that is old. */
  touch(path: string, modifiedMs: number): void;
  quarantine(path: string): void;
  recordUse(entry: EntryId): void;
  recordEntry(entry: EntryId, sizeBytes: number): void;
  recordBlob(sizeBytes: number): void;
  /** Appends the recorded uses to the journal. Done at exit, too. Never throws. */
  saveUses(): void;
  /** A folder of this process below `tmp`, for staging; undefined when it cannot be made. */
  readonly temporaryDirectory: () => string | undefined;
}

export function openCacheFolder(options: CacheFolderOptions): CacheFolder {
  const { root, durability: policy = "relaxed", readOnly = false, now = Date.now } = options;
  const layout = diskLayout(root);
  const access = createAccess(options, layout);
  const temporaries = createTemporaryFolder(layout.temporary, now);
  const durability = createDurability(policy);
  const interval = options.touchIntervalMs ?? touchIntervalMs;
  const uses = createUseRecorder({
    layout,
    now,
    readOnly,
    isTrusted: access.isTrusted,
    writeIndex: (text) => writeFile(layout.index, Buffer.from(text)),
  });
  const commit = (temporary: TemporaryFile, target: string): void => {
    try {
      durability.beforeRename(temporary.file);
    } finally {
      closeSync(temporary.file);
    }
    renameInto(temporary.path, target);
    durability.afterRename(target);
  };
  const writeFile = (target: string, bytes: Uint8Array): void => {
    const temporary = temporaries.create();
    try {
      writeFully(temporary.file, bytes, 0);
      if (policy !== "relaxed") fsyncSync(temporary.file);
    } catch (error) {
      closeSync(temporary.file);
      removeQuietly(temporary.path);
      throw error;
    }
    closeSync(temporary.file);
    try {
      renameInto(temporary.path, target);
    } catch (error) {
      removeQuietly(temporary.path);
      throw error;
    }
    if (policy !== "relaxed") syncDirectory(dirname(target));
  };
  return {
    root,
    layout,
    durability: policy,
    readOnly,
    now,
    assertReadable: access.assertReadable,
    assertWritable: access.assertWritable,
    readFile: readRegularFile,
    createTemporary: temporaries.create,
    commit: (temporary, target) => {
      try {
        commit(temporary, target);
      } catch (error) {
        removeQuietly(temporary.path);
        throw error;
      }
    },
    discard: (temporary) => {
      closeSync(temporary.file);
      removeQuietly(temporary.path);
    },
    writeFile,
    barrier: durability.barrier,
    touch: (path, modifiedMs) => {
      const nowMs = now();
      if (readOnly || nowMs - modifiedMs < interval) return;
      try {
        utimesSync(path, nowMs / 1000, nowMs / 1000);
      } catch {
        // Read-only, evicted, or another user's: then the use is not noted.
      }
    },
    quarantine: (path) => {
      if (!readOnly) moveToQuarantine(layout.quarantine, path, now());
    },
    recordUse: uses.use,
    recordEntry: uses.entry,
    recordBlob: uses.blob,
    saveUses: uses.save,
    temporaryDirectory: () => {
      try {
        access.assertWritable();
        return temporaries.directory();
      } catch {
        return undefined;
      }
    },
  };
}

interface Access {
  readonly assertReadable: () => void;
  readonly assertWritable: () => void;
  readonly isTrusted: () => boolean;
}

function createAccess(options: CacheFolderOptions, layout: DiskLayout): Access {
  let refusal: CuenvError | undefined;
  let looked = false;
  let made = false;
  const assertReadable = (): void => {
    if (!looked) {
      looked = true;
      refusal = inspect(options);
    }
    if (refusal !== undefined) throw refusal;
  };
  const assertWritable = (): void => {
    if (made) return;
    assertReadable();
    if (options.readOnly === true) {
      throw new CuenvError(
        "CAS_STORE_UNAVAILABLE",
        `cannot write to cache folder ${options.root}: this run only reads it`,
      );
    }
    try {
      makeFolder(options.root, layout);
    } catch (error) {
      throw storeUnavailable(
        `write to cache folder ${options.root}`,
        error,
        "CAS_STORE_UNAVAILABLE",
      );
    }
    // Whoever was quicker with the name may be somebody else.
    refusal = inspect(options);
    if (refusal !== undefined) throw refusal;
    made = true;
  };
  return { assertReadable, assertWritable, isTrusted: () => looked && refusal === undefined };
}

function inspect(options: CacheFolderOptions): CuenvError | undefined {
  const trust = inspectFolder(options.root);
  if (trust.kind === "trusted" && trust.mended !== undefined) {
    options.onWarning?.(`cache folder ${trust.mended}`);
  }
  if (trust.kind !== "refused") return undefined;
  return new CuenvError(
    "CAS_STORE_UNAVAILABLE",
    `cannot use cache folder ${options.root}: ${trust.reason}`,
    {
      hint: "Choose a folder with CUENV_CACHE_DIR that only you can write to (chmod 700).",
    },
  );
}

/** Never recursive into the root itself: it must come from us with mode 0700, or exist and pass the inspection. */
function makeFolder(root: string, layout: DiskLayout): void {
  mkdirSync(dirname(root), { recursive: true, mode: 0o700 });
  const made = makeOne(root);
  makeOne(layout.base);
  if (!made) return;
  for (const [name, text] of [
    ["CACHEDIR.TAG", cachedirTag],
    ["README", readme],
  ] as const) {
    try {
      const file = openSync(`${root}/${name}`, createFlags, 0o600);
      writeFully(file, Buffer.from(text), 0);
      closeSync(file);
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
    }
  }
}

function makeOne(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (errorCode(error) !== "EEXIST") throw error;
    return false;
  }
}

function readRegularFile(path: string, maxBytes: number): Buffer | undefined {
  let file: number;
  try {
    file = openSync(path, readFlags);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return undefined;
    if (stat.size > maxBytes) {
      throw Object.assign(new Error(`${path} has ${stat.size} bytes`), { code: "EFBIG" });
    }
    const bytes = Buffer.allocUnsafe(stat.size);
    let filled = 0;
    while (filled < bytes.length) {
      const count = readSync(file, bytes, filled, bytes.length - filled, filled);
      if (count === 0) break;
      filled += count;
    }
    return bytes.subarray(0, filled);
  } finally {
    closeSync(file);
  }
}
