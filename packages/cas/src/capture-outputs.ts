import { compareUtf8, type Digest, type FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { closeSync, openSync, readSync } from "node:fs";
import type { BlobStore } from "./blob-store.ts";
import { stagingPrefix } from "./disk-layout.ts";
import { findOutputs, type FoundOutputs } from "./find-outputs.ts";
import type { OutputEntry } from "./output-entry.ts";
import { compileOutputs, type OutputPatterns } from "./output-pattern.ts";
import { realParentProblem } from "./real-parents.ts";
import { sensitiveReason } from "./sensitive-name.ts";
import { errorCode } from "./system-error.ts";
import { createTurns } from "./take-turns.ts";
import { collisionKey, linkProblem, pathProblem } from "./validate-entries.ts";

export interface CaptureOptions {
  /** Of the workspace; what the task may have written must be invalidated before. */
  readonly index: FileIndex;
  /** The project's folder relative to the workspace root, "" for the root. */
  readonly projectDirectory: string;
  /** As declared. */
  readonly outputs: readonly string[];
  readonly store: BlobStore;
  readonly signal?: AbortSignal;
}

/** Why an output cannot be stored. */
export interface OutputProblem {
  /** Relative to the workspace root, or the declared output itself. */
  readonly path: string;
  /** "cannot store output <path>: <reason>" */
  readonly message: string;
}

export interface CapturedOutputs {
  /** Sorted by UTF-8 bytes of the path. */
  readonly entries: readonly OutputEntry[];
  /** Declared outputs that the task did not make, as declared. */
  readonly missing: readonly string[];
  /** When there are any, the result must not be stored, and no entry is complete. */
  readonly problems: readonly OutputProblem[];
  /** Of all files. */
  readonly sizeBytes: number;
}

/**
 * Reads the declared outputs into the store, those of their blobs that it does not have. Kept of a file: its bytes and the
 * owner's execute bit; of a link: its text; and every folder, empty or not.
 * @throws {CuenvError} CAS_STORE_UNAVAILABLE; the reason of the signal.
 */
export async function captureOutputs(options: CaptureOptions): Promise<CapturedOutputs> {
  const problems: OutputProblem[] = [];
  let patterns: OutputPatterns;
  let outcome: FoundOutputs;
  try {
    patterns = await compileOutputs(options.projectDirectory, options.outputs);
    outcome = findOutputs(options.index, patterns);
  } catch (error) {
    return { entries: [], missing: [], problems: [unfound(error)], sizeBytes: 0 };
  }
  const { found, unmatched } = outcome;
  const paths = [...found.keys()].filter((path) => !isStaging(path)).toSorted(compareUtf8);
  const outputs = paths.flatMap((path) => {
    const output = describe(options.index, path);
    if (!("message" in output)) return [output];
    problems.push(output);
    return [];
  });
  problems.push(...collisions(paths), ...linkedParents(options.index, patterns));
  problems.push(...sensitiveFiles(options.index, patterns, outputs));
  if (problems.length > 0) return { entries: [], missing: unmatched, problems, sizeBytes: 0 };
  return { missing: unmatched, ...(await storeFiles(options, outputs)) };
}

/** What a killed restore left beside what it put on another file system: stale, as what no result names is. */
function isStaging(path: string): boolean {
  return path.includes(`/${stagingPrefix}`);
}

/** An output whose bytes were not read yet. */
type Output =
  | Exclude<OutputEntry, { kind: "file" }>
  | { readonly kind: "file"; readonly path: string; readonly executable: boolean };

function problem(path: string, reason: string): OutputProblem {
  return { path, message: `cannot store output ${path}: ${reason}` };
}

/** Outputs that cannot be looked for: a folder that cannot be listed is not an empty one. */
function unfound(error: unknown): OutputProblem {
  if (error instanceof CuenvError) return { path: "", message: error.message };
  const reason = error instanceof Error ? error.message : String(error);
  return { path: "", message: `cannot store its outputs: ${reason}` };
}

function describe(index: FileIndex, path: string): Output | OutputProblem {
  const unsuitable = pathProblem(path);
  if (unsuitable !== undefined) return problem(path, unsuitable);
  const stat = index.stat(path);
  if (stat === undefined) return problem(path, "it vanished while it was looked at");
  try {
    switch (stat.kind) {
      case "file":
        return { kind: "file", path, executable: stat.executable };
      case "directory":
        return { kind: "directory", path };
      case "symlink": {
        const target = index.readLink(path);
        const leads = linkProblem(path, target);
        return leads === undefined ? { kind: "symlink", path, target } : problem(path, leads);
      }
      case "other":
        return problem(path, "it is a FIFO, a socket or a device");
    }
  } catch (error) {
    return problem(path, reasonOf(error));
  }
}

/** A file that is declared by its own name is meant. */
function sensitiveFiles(
  index: FileIndex,
  patterns: OutputPatterns,
  outputs: readonly Output[],
): OutputProblem[] {
  const named = new Set(
    patterns.includes.flatMap(({ base, matches }) => (matches === undefined ? [base] : [])),
  );
  return outputs.flatMap(({ kind, path }) => {
    // Of a link only its text is stored.
    if (kind !== "file" || named.has(path)) return [];
    const reason = sensitiveReason(path, () => firstBytes(`${index.root}/${path}`));
    return reason === undefined
      ? []
      : [problem(path, `${reason}; declare it by its name if it is meant, or leave it out with !`)];
  });
}

function firstBytes(path: string): Uint8Array {
  const buffer = Buffer.alloc(64 * 1024);
  try {
    const file = openSync(path, "r");
    try {
      return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0));
    } finally {
      closeSync(file);
    }
  } catch {
    // Who stores it meets the same, and says so.
    return buffer.subarray(0, 0);
  }
}

function reasonOf(error: unknown): string {
  const code = errorCode(error);
  if (code === "EACCES") return "it cannot be read (permission denied)";
  return error instanceof Error ? error.message : String(error);
}

function collisions(paths: readonly string[]): OutputProblem[] {
  const byKey = new Map<string, string>();
  return paths.flatMap((path) => {
    const key = collisionKey(path);
    const other = byKey.get(key);
    byKey.set(key, other ?? path);
    return other === undefined
      ? []
      : [problem(path, `some file systems take its name for that of ${other}`)];
  });
}

function linkedParents(index: FileIndex, patterns: OutputPatterns): OutputProblem[] {
  return patterns.includes.flatMap(({ base, source }) => {
    const reason = realParentProblem(index, base);
    return reason === undefined ? [] : [problem(source, reason)];
  });
}

async function storeFiles(
  options: CaptureOptions,
  outputs: readonly Output[],
): Promise<Pick<CapturedOutputs, "entries" | "problems" | "sizeBytes">> {
  const entries: OutputEntry[] = [];
  const problems: OutputProblem[] = [];
  let sizeBytes = 0;
  const turn = createTurns();
  for (const output of outputs) {
    if (output.kind !== "file") {
      entries.push(output);
      continue;
    }
    await turn();
    options.signal?.throwIfAborted();
    const digest = await storeFile(options, output.path);
    if (typeof digest === "string") {
      problems.push(problem(output.path, digest));
      continue;
    }
    entries.push({ ...output, digest });
    sizeBytes += digest.sizeBytes;
  }
  return { entries, problems, sizeBytes };
}

/** The digest that was stored, or why there is none. A file of which nothing is known is read once: hashed on its way into the store. */
async function storeFile(options: CaptureOptions, path: string): Promise<Digest | string> {
  const { index, store, signal } = options;
  const take = (file: string): Promise<Digest> => store.ingest({ path: file }, signal);
  try {
    let isTaken = false;
    const digest = await index.digestBy(path, (file) => {
      isTaken = true;
      return take(file);
    });
    if (isTaken || (await store.missing([digest], signal)).length === 0) return digest;
    try {
      await store.write(digest, { path: `${index.root}/${path}` }, signal);
      return digest;
    } catch (error) {
      if (errorCode(error) !== "CAS_DIGEST_MISMATCH") throw error;
      // It changed since it was looked at.
      index.invalidateOne(path);
      return await index.digestBy(path, take);
    }
  } catch (error) {
    if (errorCode(error) === "CAS_STORE_UNAVAILABLE" || signal?.aborted === true) throw error;
    return errorCode(error) === "DIGEST_FILE_CHANGED"
      ? "it kept changing while it was stored"
      : reasonOf(error);
  }
}
