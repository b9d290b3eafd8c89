import type { FileIndex } from "@cuenv/digest";
import type { RestoreMarks } from "./mark-files.ts";
import { isOutput, isWholeOutput, type OutputPatterns } from "./output-pattern.ts";
import { parentOf, type RestorePlan } from "./plan-restore.ts";
import type { RestoreOptions } from "./restore-outputs.ts";
import { removeTree } from "./remove-tree.ts";
import { miss, type RestoreMiss, type RestoreMissReason } from "./restore-result.ts";
import { stageOutputs } from "./stage-outputs.ts";
import { makeStagingFolder } from "./staging-folder.ts";
import { swapOutputs } from "./swap-outputs.ts";
import { errorCode } from "./system-error.ts";

/** Carries out a plan: all of it, with the marks that the files have now, or nothing and the reason why. @throws the signal's reason, with the workspace unchanged. */
export async function applyRestore(
  options: RestoreOptions,
  plan: RestorePlan,
  patterns: OutputPatterns,
): Promise<RestoreMiss | RestoreMarks> {
  const { index, store, signal } = options;
  let staging;
  try {
    staging = makeStagingFolder(index.root, options.temporaryDirectory?.(), Date.now());
  } catch (error) {
    return miss("failed", error);
  }
  try {
    const { newPlace } = staging;
    const { units, marks: ofStaged } = await stageOutputs(plan.writes, { newPlace, store, signal });
    signal?.throwIfAborted();
    options.changing?.();
    const isShared = (path: string): boolean => !isWholeOutput(patterns, path);
    const swapped = swapOutputs({
      root: index.root,
      units,
      isShared,
      stale: plan.stale,
      newPlace,
      isOwn: (path) => isOwnFolder(plan, path),
    });
    if (swapped.kind === "swapped") {
      for (const { kind, path, staged } of units)
        if (kind !== "directory" || !isShared(path)) staging.empty(staged);
    } else if (!swapped.undone) removeOutputs(options, plan, patterns);
    options.changing?.();
    if (swapped.kind === "failed") {
      tellIndex(index, plan, undefined);
      return miss("failed", swapped.cause, !swapped.undone);
    }
    const moved = units.filter(({ kind, path }) => kind === "directory" && !isShared(path));
    const marks = marksBelow(new Set(moved.map(({ path }) => path)), ofStaged);
    tellIndex(index, plan, marks);
    return marks;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    return miss(reasonOf(error), error);
  } finally {
    staging.remove();
  }
}

/**
 * Those of files in folders that were renamed as a whole, which changes nothing about the files. The rename of a file by itself changes its ctime: who looks at it afterwards cannot tell that from an edit which keeps
 * the mtime, and came before the look.
 */
function marksBelow(folders: ReadonlySet<string>, staged: RestoreMarks): RestoreMarks {
  return new Map([...staged].filter(([path]) => isBelow(path, folders)));
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (let above = parentOf(path); above !== ""; above = parentOf(above))
    if (folders.has(above)) return true;
  return false;
}

/** A folder that is the task's output, with whatever rights the task gave it. */
function isOwnFolder({ found }: RestorePlan, path: string): boolean {
  const output = found.found.get(path);
  return output?.kind === "directory" && output.removable;
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
      removeTree(`${index.root}/${path}`);
    } catch {
      // It could not be changed before either.
    }
    index.invalidate(path);
  }
}

/**
 * One by one: `invalidate` goes through all that the index knows, which for 200 tasks would be its square.
 * @param marks of the files that are in place now; undefined: they are not
 */
function tellIndex(index: FileIndex, plan: RestorePlan, marks: RestoreMarks | undefined): void {
  for (const path of plan.stale) index.invalidate(path);
  const changed = new Set<string>([""]);
  for (const path of [...plan.stale, ...plan.writes.map((entry) => entry.path)]) {
    for (let above = path; above !== ""; above = parentOf(above)) changed.add(above);
  }
  for (const path of changed) index.invalidateOne(path);
  if (marks === undefined) return;
  for (const entry of plan.writes)
    if (entry.kind === "file") index.remember(entry.path, entry.digest, marks.get(entry.path));
}
