import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { randomBytes } from "node:crypto";

/** Output up to this size is kept in memory; more goes to a temporary file (4 MiB). */
const maxMemoryBytes = 4 * 1024 * 1024;
/** A task that writes more to one stream is run, but not stored (1 GiB). */
export const maxRecordedBytes: number = 1024 * 1024 * 1024;

/** An existing folder of this process; undefined when there is none. */
export type SpoolDirectory = () => string | undefined;

/** In memory, or in a temporary file. */
export type Recorded = Uint8Array | { readonly path: string };

/** Collects one stream of a task while it passes through. */
export interface OutputRecorder {
  add(chunk: Uint8Array): void;
  /** All that was added; undefined when it was too much, or could not be kept. */
  source(): Recorded | undefined;
  /** Removes the temporary file, if there is one. */
  dispose(): void;
}

interface Recording {
  chunks: Uint8Array[];
  sizeBytes: number;
  spool: { readonly file: number; readonly path: string } | undefined;
  lost: boolean;
}

/** `spoolDirectory` is asked for when it is needed. A full disk loses the recording, never the run. */
export function createOutputRecorder(spoolDirectory: SpoolDirectory): OutputRecorder {
  const recording: Recording = { chunks: [], sizeBytes: 0, spool: undefined, lost: false };
  return {
    add: (chunk) => add(recording, chunk, spoolDirectory),
    source: () => sourceOf(recording),
    dispose: () => dispose(recording),
  };
}

function add(recording: Recording, chunk: Uint8Array, spoolDirectory: SpoolDirectory): void {
  if (recording.lost) return;
  recording.sizeBytes += chunk.length;
  if (recording.sizeBytes > maxRecordedBytes) {
    lose(recording);
    return;
  }
  recording.chunks.push(chunk);
  if (recording.sizeBytes <= maxMemoryBytes && recording.spool === undefined) return;
  try {
    recording.spool ??= openSpool(spoolDirectory());
    for (const part of recording.chunks) {
      for (let written = 0; written < part.length;)
        written += writeSync(recording.spool.file, part, written);
    }
    recording.chunks = [];
  } catch {
    lose(recording);
  }
}

function openSpool(directory: string | undefined): { file: number; path: string } {
  if (directory === undefined) throw new Error("there is no folder to spool to");
  const path = `${directory}/output-${randomBytes(8).toString("hex")}`;
  return { file: openSync(path, "wx", 0o600), path };
}

function lose(recording: Recording): void {
  recording.lost = true;
  recording.chunks = [];
  dispose(recording);
}

function sourceOf(recording: Recording): Recorded | undefined {
  if (recording.lost) return undefined;
  return recording.spool === undefined
    ? Buffer.concat(recording.chunks)
    : { path: recording.spool.path };
}

function dispose(recording: Recording): void {
  if (recording.spool === undefined) return;
  closeSync(recording.spool.file);
  try {
    unlinkSync(recording.spool.path);
  } catch {
    // Swept by somebody else.
  }
  recording.spool = undefined;
}
