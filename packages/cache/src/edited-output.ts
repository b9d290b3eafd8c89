import { decodeEntryByHash, type TaskResult } from "@cuenv/action-cache";
import { type OutputEntry, replacedOutputs } from "@cuenv/cas";
import { equalDigests } from "@cuenv/digest";
import {
  compileOutputPatterns,
  compilePatterns,
  matchesSet,
  type PatternSet,
  startsFromAll,
} from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { ownOutputs } from "./own-outputs.ts";
import type { TaskRequest } from "./task-request.ts";

/*
 * Files that both the inputs and the outputs of a task match: `inputs: ["lib/**"]`, `outputs: ["lib/*.js"]`. As outputs they are in no key, so a hit would put
 * old ones over what somebody wrote since, or take his new ones away. A folder, or a file by its name, says whose they are; a glob for some of the files in a
 * folder does not. So of these a hit touches only what still is as the task's last result left it.
 */

/** For restoring a result: finds the first of the files to be replaced that somebody changed. A hit that replaces nothing does not ask. */
export function editedOutput(
  engine: CacheEngine,
  request: TaskRequest,
): (paths: readonly string[]) => Promise<string | undefined> {
  return async (paths) => {
    const isShared = sharedPaths(engine, request);
    if (isShared === undefined) return undefined;
    const shared = paths.filter(isShared);
    if (shared.length === 0) return undefined;
    const last = await lastOutputs(engine, request);
    return shared.find((path) => !isAsItWas(engine, path, last.get(path)));
  };
}

/** For who only looks: the file that keeps a result from being put in place. */
export async function editedOutputOf(
  engine: CacheEngine,
  request: TaskRequest,
  entries: readonly OutputEntry[],
): Promise<string | undefined> {
  if (sharedPaths(engine, request) === undefined) return undefined;
  const { index, projectPath: projectDirectory } = engine;
  const outputs = ownOutputs(engine, request.task.outputs);
  try {
    const paths = await replacedOutputs({ index, projectDirectory, outputs, entries });
    return await editedOutput(engine, request)(paths);
  } catch (error) {
    // A folder of outputs that cannot be listed: it keeps the result from being put in place as well, and whoever tries says so.
    if (error instanceof Error && "syscall" in error) return undefined;
    throw error;
  }
}

export function editedText(path: string): string {
  return `its output ${path}, which its inputs match as well, is not as its last result left it`;
}

/**
 * Of what is to be stored, the first file that the inputs match, that was there before the task ran, and that it did not write: it looks like a source.
 * @param since when the run began (ms since the epoch)
 */
export async function untouchedInput(
  engine: CacheEngine,
  request: TaskRequest,
  entries: readonly OutputEntry[],
  since: number,
): Promise<string | undefined> {
  const isShared = sharedPaths(engine, request);
  if (isShared === undefined) return undefined;
  const isOlder = (path: string): boolean => {
    const stat = engine.index.stat(path);
    return stat !== undefined && Math.max(stat.mtimeMs, stat.ctimeMs) < since;
  };
  const untouched = entries.flatMap(({ kind, path }) =>
    kind !== "directory" && isShared(path) && isOlder(path) ? [path] : [],
  );
  if (untouched.length === 0) return undefined;
  const last = await lastOutputs(engine, request);
  return untouched.find((path) => !last.has(path));
}

function sharedPaths(
  { projectPath }: CacheEngine,
  { task: { inputs, outputs = [], cache } }: TaskRequest,
): ((path: string) => boolean) | undefined {
  const declared = [...(inputs === undefined || startsFromAll(inputs) ? [] : inputs)];
  declared.push(...cache.extraInputs);
  const globs = outputs.filter((pattern) => pattern.startsWith("!") || isPartOfFolder(pattern));
  if (declared.length === 0 || globs.every((pattern) => pattern.startsWith("!"))) return undefined;
  const wanted: readonly PatternSet[] = [
    compilePatterns(declared, projectPath),
    compileOutputPatterns(globs, projectPath),
  ];
  const ignored = compilePatterns(cache.ignoreInputs, projectPath);
  return (path) => wanted.every((set) => matchesSet(set, path)) && !matchesSet(ignored, path);
}

/** Has a wildcard, and is not all of a folder. */
function isPartOfFolder(pattern: string): boolean {
  return /[*?[{]/.test(pattern.replace(/(?:\/\*{1,2})+\/?$/, ""));
}

/** By path; of a result that is gone, nothing. */
async function lastOutputs(
  engine: CacheEngine,
  request: TaskRequest,
): Promise<ReadonlyMap<string, OutputEntry>> {
  const last = engine.lastResults.get(engine.taskId(request.task));
  const result = last === undefined ? undefined : await resultOf(engine, last.key);
  return new Map(result?.outputs.map((entry) => [entry.path, entry]));
}

async function resultOf(
  { actions: { actions, namespace }, settings, verify }: CacheEngine,
  hash: string,
): Promise<TaskResult | undefined> {
  const key = { digest: { hash, sizeBytes: 0 }, namespace };
  try {
    const bytes = await actions.get(key);
    const { digestFunction } = settings;
    const entry = bytes && decodeEntryByHash(bytes, { ...key, digestFunction }, verify);
    return entry?.kind === "entry" ? entry.result : undefined;
  } catch {
    return undefined;
  }
}

function isAsItWas({ index }: CacheEngine, path: string, entry: OutputEntry | undefined): boolean {
  try {
    if (entry?.kind === "symlink") return index.readLink(path) === entry.target;
    return entry?.kind === "file" && equalDigests(index.digest(path), entry.digest);
  } catch {
    return false;
  }
}
