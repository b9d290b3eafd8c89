import { compareUtf8, type Digest, type FileIndex, formatDigest } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { closeSync, openSync, readSync } from "node:fs";
import type { BlobStore } from "./blob-store.ts";
import { findOutputs } from "./find-outputs.ts";
import type { OutputEntry } from "./output-entry.ts";
import { compileOutputs, type OutputPatterns } from "./output-pattern.ts";
import { realParentProblem } from "./real-parents.ts";
import { sensitiveReason } from "./sensitive-name.ts";
import { errorCode } from "./system-error.ts";
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
  /** When there are any, the result must not be stored; nothing was written then. */
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
  try {
    patterns = await compileOutputs(options.projectDirectory, options.outputs);
  } catch (error) {
    if (!(error instanceof CuenvError)) throw error;
    return {
      entries: [],
      missing: [],
      problems: [{ path: "", message: error.message }],
      sizeBytes: 0,
    };
  }
  const { found, unmatched } = findOutputs(options.index, patterns);
  const paths = [...found.keys()].toSorted(compareUtf8);
  const entries = paths.flatMap((path) => {
    const entry = describe(options.index, path);
    if (!("message" in entry)) return [entry];
    problems.push(entry);
    return [];
  });
  problems.push(...collisions(paths), ...linkedParents(options.index, patterns));
  problems.push(...sensitiveFiles(options.index, patterns, entries));
  const sizeBytes = entries.reduce(
    (sum, entry) => sum + (entry.kind === "file" ? entry.digest.sizeBytes : 0),
    0,
  );
  if (problems.length > 0) return { entries, missing: unmatched, problems, sizeBytes };
  const stored = await storeFiles(options, entries);
  return { entries: stored.entries, missing: unmatched, problems: stored.problems, sizeBytes };
}

function problem(path: string, reason: string): OutputProblem {
  return { path, message: `cannot store output ${path}: ${reason}` };
}

function describe(index: FileIndex, path: string): OutputEntry | OutputProblem {
  const unsuitable = pathProblem(path);
  if (unsuitable !== undefined) return problem(path, unsuitable);
  const stat = index.stat(path);
  if (stat === undefined) return problem(path, "it vanished while it was looked at");
  try {
    switch (stat.kind) {
      case "file":
        return { kind: "file", path, digest: index.digest(path), executable: stat.executable };
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
  entries: readonly OutputEntry[],
): OutputProblem[] {
  const named = new Set(
    patterns.includes.flatMap(({ base, matches }) => (matches === undefined ? [base] : [])),
  );
  return entries.flatMap(({ kind, path }) => {
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

/** How often a file is looked at again that changes between hashing and storing. */
const maxAttempts = 3;

async function storeFiles(
  options: CaptureOptions,
  described: readonly OutputEntry[],
): Promise<Pick<CapturedOutputs, "entries" | "problems">> {
  const { index, store, signal } = options;
  const files = described.filter((entry) => entry.kind === "file");
  const absent = new Set(
    (
      await store.missing(
        files.map((entry) => entry.digest),
        signal,
      )
    ).map(formatDigest),
  );
  const changed = new Map<string, Digest>();
  const problems: OutputProblem[] = [];
  for (const { path, digest } of files) {
    if (!absent.has(formatDigest(digest))) continue;
    signal?.throwIfAborted();
    const result = await storeFile(options, path, digest);
    if (typeof result === "string") problems.push(problem(path, result));
    else if (result !== digest) changed.set(path, result);
    else absent.delete(formatDigest(digest));
  }
  const entries = described.map((entry) => {
    const digest = changed.get(entry.path);
    return entry.kind === "file" && digest !== undefined ? { ...entry, digest } : entry;
  });
  for (const [path, digest] of changed) index.remember(path, digest);
  return { entries, problems };
}

/** The digest that was stored, or why there is none. */
async function storeFile(
  options: CaptureOptions,
  path: string,
  expected: Digest,
): Promise<Digest | string> {
  const { index, store, signal } = options;
  let digest = expected;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await store.write(digest, { path: `${index.root}/${path}` }, signal);
      return digest;
    } catch (error) {
      if (errorCode(error) === "CAS_STORE_UNAVAILABLE" || signal?.aborted === true) throw error;
      if (errorCode(error) !== "CAS_DIGEST_MISMATCH") return reasonOf(error);
      if (attempt === maxAttempts) return "it kept changing while it was stored";
    }
    index.invalidateOne(path);
    try {
      digest = index.digest(path);
    } catch (error) {
      return reasonOf(error);
    }
  }
}
