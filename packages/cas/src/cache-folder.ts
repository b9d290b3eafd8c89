import { readRegularFile } from "@cuenv/digest";
import { utimesSync } from "node:fs";
import { type DiskLayout, diskLayout, type EntryId } from "./disk-layout.ts";
import { createDurability, type Durability } from "./durability.ts";
import { createFolderAccess, type FolderAccess } from "./folder-access.ts";
import {
  commitTemporary,
  createWhole,
  discardTemporary,
  type TemporaryFile,
  writeTemporary,
} from "./folder-files.ts";
import { fileVersion } from "./file-version.ts";
import { moveToQuarantine } from "./quarantine.ts";
import { createTemporaryFolder, type TemporaryFolder } from "./temporary-folder.ts";
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

/**
 * The cache folder of this process: what the disk stores share. Opening it touches nothing; the first read decides
 * whether it can be trusted, the first write makes it.
 */
export interface CacheFolder extends FolderAccess {
  readonly root: string;
  readonly layout: DiskLayout;
  readonly durability: Durability;
  readonly readOnly: boolean;
  readonly touchIntervalMs: number;
  readonly now: () => number;
  /** A regular file of at most `maxBytes`, undefined when there is none. @throws system errors, and EFBIG */
  readonly readFile: (path: string, maxBytes: number) => Buffer | undefined;
  /** See {@link fileVersion}. @throws system errors */
  readonly fileVersion: (path: string) => string | undefined;
  /** @throws system errors */
  readonly createTemporary: () => TemporaryFile;
  /** Puts a temporary file in its place, and closes it. @throws system errors */
  readonly commit: (temporary: TemporaryFile, target: string) => void;
  readonly discard: (temporary: TemporaryFile) => void;
  /** Writes a whole file atomically; durable when the policy is not `relaxed`. @throws system errors */
  readonly writeFile: (target: string, bytes: Uint8Array) => void;
  /** As `writeFile`, where there is nothing yet; false when there is. @throws system errors */
  readonly createFile: (target: string, bytes: Uint8Array) => boolean;
  /** Makes what was committed durable, as the policy says. Called once before an entry that names the blobs is stored. */
  readonly barrier: () => Promise<void>;
  /** Notes a use in the mtime, if that is old. */
  readonly touch: (path: string, modifiedMs: number) => void;
  readonly quarantine: (path: string) => void;
  readonly recordUse: (entry: EntryId) => void;
  readonly recordEntry: (entry: EntryId, sizeBytes: number) => void;
  readonly recordBlob: (sizeBytes: number) => void;
  /** Appends the recorded uses to the journal. Done at exit, too. Never throws. */
  readonly saveUses: () => void;
  /** A folder of this process below `tmp`, for staging; undefined when it cannot be made. */
  readonly temporaryDirectory: () => string | undefined;
}

export function openCacheFolder(options: CacheFolderOptions): CacheFolder {
  const { root, durability = "relaxed", readOnly = false, now = Date.now } = options;
  const layout = diskLayout(root);
  const access = createFolderAccess(options, layout);
  const temporaries = createTemporaryFolder(layout.temporary, now);
  const policy = createDurability(durability);
  const interval = options.touchIntervalMs ?? touchIntervalMs;
  const displace = (target: string): void => moveToQuarantine(layout.quarantine, target, now());
  const writeFile = (target: string, bytes: Uint8Array): void =>
    writeTemporary(temporaries.create(), target, bytes, durability, displace);
  const writeIndex = (text: string): void => writeFile(layout.index, Buffer.from(text));
  const { isTrusted } = access;
  const uses = createUseRecorder({ layout, now, readOnly, isTrusted, writeIndex });
  return {
    ...access,
    root,
    layout,
    durability,
    readOnly,
    touchIntervalMs: interval,
    now,
    readFile: readRegularFile,
    fileVersion,
    createTemporary: temporaries.create,
    commit: (temporary, target) => commitTemporary(temporary, target, { policy, displace }),
    discard: discardTemporary,
    writeFile,
    createFile: (target, bytes) =>
      createWhole(temporaries.create(), target, bytes, durability, displace),
    barrier: policy.barrier,
    touch: (path, modifiedMs) => {
      const nowMs = now();
      if (!readOnly && nowMs - modifiedMs >= interval) touch(path, nowMs);
    },
    quarantine: (path) => {
      if (!readOnly) moveToQuarantine(layout.quarantine, path, now());
    },
    recordUse: uses.use,
    recordEntry: uses.entry,
    recordBlob: uses.blob,
    saveUses: uses.save,
    temporaryDirectory: () => temporaryDirectory(access, temporaries),
  };
}

function touch(path: string, nowMs: number): void {
  try {
    utimesSync(path, nowMs / 1000, nowMs / 1000);
  } catch {
    // Read-only, evicted, or another user's: then the use is not noted.
  }
}

function temporaryDirectory(
  access: FolderAccess,
  temporaries: TemporaryFolder,
): string | undefined {
  try {
    access.assertWritable();
    return temporaries.directory();
  } catch {
    return undefined;
  }
}
