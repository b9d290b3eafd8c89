import { type FileIndex, hashLargeFiles, largeFileBytes } from "@cuenv/digest";
import type { BlobStore } from "./blob-store.ts";
import type { RestoreMarks } from "./mark-files.ts";
import type { OutputEntry } from "./output-entry.ts";
import { compileOutputs, coversPath, isOutput, type OutputPatterns } from "./output-pattern.ts";
import { parentOf, planRestore, type RestoreChanges, type RestorePlan } from "./plan-restore.ts";
import { realParentProblem } from "./real-parents.ts";
import { blocked, invalid, miss, type RestoreMiss, type RestoreResult } from "./restore-result.ts";
import { createTurns, piecesPerTurn } from "./take-turns.ts";
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
  /** Of files and links that are there and would be replaced or removed, the first that has to stay as it is. Asked only when there are any. */
  readonly spared?: ((paths: readonly string[]) => Promise<string | undefined>) | undefined;
  /** Called right before the first change in the workspace, and right after the last. */
  readonly changing?: () => void;
  readonly signal?: AbortSignal;
}

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
  const stray = entries.find((entry) => !isDeclared(patterns, entry));
  if (stray !== undefined) return invalid(stray.path, "it is none of the declared outputs");
  let plan: RestorePlan;
  try {
    await hashLargeOutputs(options);
    plan = planRestore(index, patterns, entries);
  } catch (error) {
    signal?.throwIfAborted();
    return miss("failed", error);
  }
  const linked = linkedParent(index, patterns, entries);
  if (linked !== undefined) return linked;
  let marks: RestoreMarks | undefined;
  if (plan.writes.length > 0 || plan.stale.length > 0) {
    const spared = await firstSpared(options, plan);
    if (spared !== undefined) return miss("spared", spared);
    applying ??= await import("./apply-restore.ts");
    const applied = await applying.applyRestore(options, plan, patterns);
    if ("kind" in applied) return applied;
    marks = applied;
  }
  const files = plan.writes.filter((entry) => entry.kind === "file");
  return {
    kind: "restored",
    restoredFiles: files.length,
    restoredBytes: files.reduce((sum, { digest }) => sum + digest.sizeBytes, 0),
    removedPaths: plan.stale.length,
    unchangedFiles: plan.unchangedFiles,
    wasInPlace: plan.writes.length === 0 && plan.stale.length === 0,
    marks,
  };
}

/** Those that may be in place, which nobody knows before they are hashed. */
async function hashLargeOutputs({ index, entries, signal }: RestoreOptions): Promise<void> {
  const large = entries.filter(
    (entry) =>
      entry.kind === "file" &&
      entry.digest.sizeBytes >= largeFileBytes &&
      entry.digest.sizeBytes === index.stat(entry.path)?.sizeBytes,
  );
  if (large.length === 0) return;
  const turn = createTurns(piecesPerTurn);
  const pause = (): Promise<void> | undefined => {
    signal?.throwIfAborted();
    return turn();
  };
  const paths = large.map(({ path }) => path);
  await hashLargeFiles(index, paths, { pause, signal });
}

/** Once loaded: each `import()` of a module that is there takes 20 microseconds. */
let applying: typeof import("./apply-restore.ts") | undefined;

async function firstSpared(
  { index, entries, spared }: RestoreOptions,
  plan: RestorePlan,
): Promise<string | undefined> {
  if (spared === undefined) return undefined;
  const paths = replacedPaths(index, entries, plan);
  return paths.length === 0 ? undefined : spared(paths);
}

type Planned = Pick<RestoreOptions, "index" | "projectDirectory" | "outputs" | "entries">;

/** The files and links that a restore would replace or remove. @throws {CuenvError} CAS_OUTPUT_INVALID; system errors */
export async function replacedOutputs({
  index,
  projectDirectory,
  outputs,
  entries,
}: Planned): Promise<readonly string[]> {
  const patterns = await compileOutputs(projectDirectory, outputs);
  return replacedPaths(index, entries, planRestore(index, patterns, entries));
}

/** What a restore would change on the disk: the entries that are not as the result has them, and what it does not have; and whether it could. @throws {CuenvError} CAS_OUTPUT_INVALID; system errors */
export async function restoreChanges({
  index,
  projectDirectory,
  outputs,
  entries,
}: Planned): Promise<RestoreChanges> {
  const patterns = await compileOutputs(projectDirectory, outputs);
  const { writes, stale } = planRestore(index, patterns, entries);
  return { writes, stale, isBlocked: linkedParent(index, patterns, entries) !== undefined };
}

function replacedPaths(
  index: FileIndex,
  entries: readonly OutputEntry[],
  { writes, found }: RestorePlan,
): readonly string[] {
  const kept = new Set(entries.map(({ path }) => path));
  const lost = [...found.found].flatMap(([path, { kind, removable }]) =>
    removable && kind !== "directory" && !kept.has(path) ? [path] : [],
  );
  const absent = new Set<string>();
  const replaced = writes.flatMap(({ path }) => {
    // Folders come before what is in them: of one that is not there, nothing is.
    const kind = absent.has(parentOf(path)) ? undefined : index.stat(path)?.kind;
    if (kind === undefined) absent.add(path);
    return kind === undefined || kind === "directory" ? [] : [path];
  });
  return [...replaced, ...lost];
}

/**
 * Folders above outputs must be real ones, wherever they exist: a link could lead to other people's files. Those
 * that an entry names itself are put right by the restore.
 */
function linkedParent(
  index: FileIndex,
  patterns: OutputPatterns,
  entries: readonly OutputEntry[],
): RestoreMiss | undefined {
  const paths = new Map(patterns.includes.map(({ base }) => [parentOf(base), base]));
  const named = new Set<string>();
  for (const { kind, path } of entries) {
    if (kind === "directory") named.add(path);
    const parent = parentOf(path);
    if (!named.has(parent)) paths.set(parent, path);
  }
  for (const path of paths.values()) {
    const reason = realParentProblem(index, path);
    // Nothing is wrong with the result: once the link is gone it is used again.
    if (reason !== undefined) return blocked(path, reason);
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
