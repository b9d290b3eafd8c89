import { mkdirSync, symlinkSync } from "node:fs";
import type { BlobStore } from "./blob-store.ts";
import { markFiles, type RestoreMarks } from "./mark-files.ts";
import type { OutputEntry } from "./output-entry.ts";
import type { FileToStage } from "./stage-file.ts";
import { stageFiles } from "./stage-files.ts";
import type { StagingThreads } from "./staging-threads.ts";
import { createTurns } from "./take-turns.ts";

/** What is renamed into the workspace: a file, a link, or a folder with all that is in it. */
export interface StagedUnit {
  /** Relative to the workspace root. */
  readonly path: string;
  readonly kind: OutputEntry["kind"];
  /** Absolute. */
  readonly staged: string;
}

export interface StagedOutputs {
  readonly units: readonly StagedUnit[];
  /** As they are staged: the rename of a file by itself changes its ctime. */
  readonly marks: RestoreMarks;
}

export interface StageOptions {
  /** Of the staging folder. */
  readonly newPlace: () => string;
  readonly store: BlobStore;
  readonly signal: AbortSignal | undefined;
  /** Default: the store's own. */
  readonly threads?: StagingThreads;
}

/**
 * Puts all of `writes` into the staging folder, every file verified. Entries below a folder that is new itself are
 * staged in it, so that it comes into the workspace with one rename. Once it returns or throws, nothing is written any more.
 * @throws {CuenvError} CAS_BLOB_NOT_FOUND, CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; system errors; the signal's reason.
 */
export async function stageOutputs(
  writes: readonly OutputEntry[],
  options: StageOptions,
): Promise<StagedOutputs> {
  const units: StagedUnit[] = [];
  const folders = new Map<string, string>();
  const files: FileToStage[] = [];
  const turn = createTurns();
  for (const entry of writes) {
    const slash = entry.path.lastIndexOf("/");
    const above = slash < 0 ? undefined : folders.get(entry.path.slice(0, slash));
    const target = above === undefined ? options.newPlace() : `${above}${entry.path.slice(slash)}`;
    if (above === undefined) units.push({ path: entry.path, kind: entry.kind, staged: target });
    if (entry.kind === "file") {
      files.push({ entry, target });
      continue;
    }
    const others = turn();
    if (others !== undefined) await others;
    options.signal?.throwIfAborted();
    if (entry.kind === "symlink") symlinkSync(entry.target, target);
    else {
      mkdirSync(target);
      folders.set(entry.path, target);
    }
  }
  await stageFiles(files, options);
  return { units, marks: await markFiles(files, options.signal) };
}
