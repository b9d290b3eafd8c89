import { closeSync, openSync } from "node:fs";
import { createFlags, writeFully } from "./atomic-write.ts";
import type { BlobStore } from "./blob-store.ts";
import type { OutputEntry } from "./output-entry.ts";
import { scratchBuffer } from "./scratch-buffer.ts";

export interface FileToStage {
  readonly entry: Extract<OutputEntry, { kind: "file" }>;
  /** Absolute; nothing is there. */
  readonly target: string;
}

/** Executable files get 0777, others 0666; the process's umask applies, as it does to a compiler. */
export function createStagedFile({ entry, target }: FileToStage): number {
  return openSync(target, createFlags, entry.executable ? 0o777 : 0o666);
}

/**
 * Writes one file at once, verified. False, with nothing made, when the store cannot give it at once.
 * @throws {CuenvError} CAS_BLOB_CORRUPT, CAS_STORE_UNAVAILABLE; system errors
 */
export function stageFile(store: BlobStore, file: FileToStage): boolean {
  const bytes = store.readSync?.(file.entry.digest, scratchBuffer());
  if (bytes === undefined) return false;
  const descriptor = createStagedFile(file);
  try {
    writeFully(descriptor, bytes, 0);
  } finally {
    closeSync(descriptor);
  }
  return true;
}
