import type { FileIndex } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import { rmSync } from "node:fs";
import type { BlobStore } from "./blob-store.ts";
import type { OutputEntry } from "./output-entry.ts";
import { compileOutputs, coversPath, isOutput, type OutputPatterns } from "./output-pattern.ts";
import { parentOf, planRestore, type RestorePlan } from "./plan-restore.ts";
import { realParentProblem } from "./real-parents.ts";
import { stageOutputs } from "./stage-outputs.ts";
import { makeStagingFolder } from "./staging-folder.ts";
import { swapOutputs } from "./swap-outputs.ts";
import { errorCode } from "./system-error.ts";
import { entriesProblem } from "./validate-entries.ts";

export interface RestoreOptions {
  /** Of the workspace. What is restored is made known to it. */
  readonly index: FileIndex;
  readonly projectDirectory: string;
  /** As the task declares them now. */
  readonly outputs: readonly string[];
  /** The result's. */
  readonly entries: readonly OutputEntry[];
  readonly store: BlobStore;
  /** Where to stage when that is on the workspace's file system; asked only when there is something to restore. */
  readonly temporaryDirectory?: () => string | undefined;
  readonly signal?: AbortSignal;
}

/**
 * incomplete: a blob is not in the store. corrupt: a blob is damaged. invalid: the entries are hostile or do not fit the declared outputs.
 * unavailable: the store cannot be read. failed: the workspace cannot be written.
 */
export type RestoreMissReason = "incomplete" | "corrupt" | "invalid" | "unavailable" | "failed";

export type RestoreResult =
  | {
      readonly kind: "restored";
      readonly restoredFiles: number;
      readonly restoredBytes: number;
      /** Stale outputs that went; a folder counts once. */
      readonly removedPaths: number;
      /** Files that were right already. */
      readonly unchangedFiles: number;
    }
  | {
      readonly kind: "miss";
      readonly reason: RestoreMissReason;
      readonly detail: string;
      readonly cause: unknown;
      /** True only when taking back a failed swap failed, too; the task's outputs were then removed. */
      readonly workspaceChanged: boolean;
    };

/**
 * Makes the declared outputs on the disk exactly those of a result.
 *
 * Nothing in the workspace changes before every file is staged and verified; then all is put in place by rename, and a step that
 * fails takes the earlier ones back. Outputs that the result does not name are removed; nothing else is touched. Of patterns whose fixed part is the project
 * folder itself (`*.tgz`) nothing is removed: a new source file could match.
 * @throws the signal's reason, with the workspace unchanged.
 */
export async function restoreOutputs(options: RestoreOptions): Promise<RestoreResult> {
  const { index, entries, signal } = options;
  signal?.throwIfAborted();
  let patterns: OutputPatterns;
  try {
    patterns = await compileOutputs(options.projectDirectory, options.outputs);
  } catch (error) {
    return miss("invalid", error);
  }
  const hostile = entriesProblem(entries);
  if (hostile !== undefined) return invalid(hostile.path, hostile.reason);
  const plan = planRestore(index, patterns, entries);
  const linked = linkedParent(index, patterns, entries);
  if (linked !== undefined) return linked;
  if (plan.writes.length > 0 || plan.stale.length > 0) {
    const stray = plan.writes.find((entry) => !isDeclared(patterns, entry));
    if (stray !== undefined) return invalid(stray.path, "it is none of the declared outputs");
    const failure = await apply(options, plan, patterns);
    if (failure !== undefined) return failure;
  }
  const files = plan.writes.filter((entry) => entry.kind === "file");
  return {
    kind: "restored",
    restoredFiles: files.length,
    restoredBytes: files.reduce((sum, { digest }) => sum + digest.sizeBytes, 0),
    removedPaths: plan.stale.length,
    unchangedFiles: plan.unchangedFiles,
  };
}

type Miss = Extract<RestoreResult, { kind: "miss" }>;

function miss(reason: RestoreMissReason, cause: unknown, workspaceChanged = false): Miss {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return { kind: "miss", reason, detail, cause, workspaceChanged };
}

function invalid(path: string, reason: string): Miss {
  return miss(
    "invalid",
    new CuenvError("CAS_ENTRY_INVALID", `cannot restore ${JSON.stringify(path)}: ${reason}`),
  );
}

/**
 * Folders above outputs must be real ones, wherever they exist: a link could lead to other people's files. Those
 * that an entry names itself are put right by the restore.
 */
function linkedParent(
  index: FileIndex,
  patterns: OutputPatterns,
  entries: readonly OutputEntry[],
): Miss | undefined {
  const paths = new Map(patterns.includes.map(({ base }) => [parentOf(base), base]));
  const named = new Set<string>();
  for (const { kind, path } of entries) {
    if (kind === "directory") named.add(path);
    const parent = parentOf(path);
    if (!named.has(parent)) paths.set(parent, path);
  }
  for (const path of paths.values()) {
    const reason = realParentProblem(index, path);
    if (reason !== undefined) return invalid(path, reason);
  }
  return undefined;
}

/** An output, or a folder on the way from a glob's fixed part to one. */
function isDeclared(patterns: OutputPatterns, entry: OutputEntry): boolean {
  if (isOutput(patterns, entry.path)) return true;
  if (
    entry.kind !== "directory" ||
    patterns.excludes.some((pattern) => coversPath(pattern, entry.path))
  )
    return false;
  return patterns.includes.some(
    ({ base, matches }) =>
      matches !== undefined &&
      (base === "" || entry.path === base || entry.path.startsWith(`${base}/`)),
  );
}

async function apply(
  options: RestoreOptions,
  plan: RestorePlan,
  patterns: OutputPatterns,
): Promise<Miss | undefined> {
  const { index, store, signal } = options;
  let staging;
  try {
    staging = makeStagingFolder(index.root, options.temporaryDirectory?.(), Date.now());
  } catch (error) {
    return miss("failed", error);
  }
  try {
    const units = await stageOutputs(plan.writes, { directory: staging.incoming, store, signal });
    signal?.throwIfAborted();
    const swapped = swapOutputs({
      root: index.root,
      units,
      stale: plan.stale,
      trash: staging.trash,
    });
    if (swapped.kind === "failed" && !swapped.undone) removeOutputs(options, plan, patterns);
    tellIndex(index, plan, swapped.kind === "swapped");
    return swapped.kind === "failed" ? miss("failed", swapped.cause, !swapped.undone) : undefined;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return miss(reasonOf(error), error);
  } finally {
    staging.remove();
  }
}

const missReasons = new Map<string | undefined, RestoreMissReason>([
  ["CAS_BLOB_NOT_FOUND", "incomplete"],
  ["CAS_BLOB_CORRUPT", "corrupt"],
  ["CAS_STORE_UNAVAILABLE", "unavailable"],
]);

function reasonOf(error: unknown): RestoreMissReason {
  return missReasons.get(errorCode(error)) ?? "failed";
}

/** A half-restored mixture would be taken for good by tools that look only at what is newer. */
function removeOutputs(options: RestoreOptions, plan: RestorePlan, patterns: OutputPatterns): void {
  const { index, entries } = options;
  const removable = [...plan.found.found].flatMap(([path, output]) =>
    output.removable && output.exclusive ? [path] : [],
  );
  const files = entries.flatMap(({ kind, path }) =>
    kind !== "directory" && isOutput(patterns, path) ? [path] : [],
  );
  for (const path of [...removable, ...files]) {
    try {
      rmSync(`${index.root}/${path}`, { recursive: true, force: true });
    } catch {
      // It could not be changed before either.
    }
    index.invalidate(path);
  }
}

/** One by one: `invalidate` goes through all that the index knows, which for 200 tasks would be its square. */
function tellIndex(index: FileIndex, plan: RestorePlan, remember: boolean): void {
  for (const path of plan.stale) index.invalidate(path);
  const changed = new Set<string>([""]);
  for (const path of [...plan.stale, ...plan.writes.map((entry) => entry.path)]) {
    for (let above = path; above !== ""; above = parentOf(above)) changed.add(above);
  }
  for (const path of changed) index.invalidateOne(path);
  for (const entry of plan.writes) {
    if (entry.kind === "file" && remember) index.remember(entry.path, entry.digest);
  }
}
