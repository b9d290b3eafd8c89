import { type OutputEntry, stagingPrefix } from "@cuenv/cas";
import { type Digest, hashLargeFiles } from "@cuenv/digest";
import { CuenvError } from "@cuenv/errors";
import {
  type ActionRequest,
  buildAction,
  compilePatterns,
  matchesSet,
  startsFromAll,
  type BuiltAction,
  createInputSet,
  type DependencyOutputs,
  type FilteredEnvironment,
  filterEnvironmentVariables,
  hostPlatform,
  type InputSet,
  normalizeWorkingDirectory,
  resolvePatterns,
  type Selection,
  type SelectionRequest,
} from "@cuenv/key";
import type { CacheEngine } from "./cache-engine.ts";
import { createStretch, lookInTurns } from "./look-in-turns.ts";
import { atTask } from "./pattern-error.ts";
import type { TaskRequest } from "./task-request.ts";
import { tellInputProblems } from "./tell-input-problems.ts";
import { environmentFilter } from "./visible-environment.ts";

/** A key, and what is needed to look it up, to run the task, and to see afterwards that its inputs stayed as they were. */
export interface ComputedKey {
  readonly digest: Digest;
  readonly action: BuiltAction;
  /** What the task's process sees. */
  readonly env: Readonly<Record<string, string>>;
  readonly selection: SelectionRequest | undefined;
  /** What `selection` found. */
  readonly selected: Selection;
  /** The input files as they were hashed. */
  readonly inputs: InputSet;
}

/** The task runs, uncached, with this environment. */
export interface NoKey {
  readonly kind: "noKey";
  readonly text: string;
  readonly env: Readonly<Record<string, string>>;
}

export type KeyComputation = { readonly kind: "key"; readonly key: ComputedKey } | NoKey;

/** All that a key is made of but the files, which `selection` names. */
export interface KeyQuestion {
  readonly kind: "question";
  readonly env: Readonly<Record<string, string>>;
  readonly selection: SelectionRequest | undefined;
  readonly dependencies: readonly DependencyOutputs[];
  readonly projectDirectory: string;
  readonly ignorePatterns: readonly string[];
  readonly action: Omit<ActionRequest, "inputs" | "producers">;
}

/**
 * The key of a task whose dependencies are done.
 * @throws {CuenvError} KEY_GLOB_INVALID and what else is a mistake of the configuration
 */
export async function computeKey(
  engine: CacheEngine,
  request: TaskRequest,
): Promise<KeyComputation> {
  const asked = await askForKey(engine, request);
  return asked.kind === "noKey" ? asked : answerKey(engine, request, asked);
}

/** The first part of {@link computeKey}, which looks at no file of the task's. @throws as that */
export async function askForKey(
  engine: CacheEngine,
  request: TaskRequest,
): Promise<KeyQuestion | NoKey> {
  const { settings } = engine;
  const { task } = request;
  const filtered = filterEnvironment(engine, request);
  const env = filtered.visible;
  const tools = await engine.tools.probe(
    [...settings.runtime, ...task.cache.runtime],
    env,
    request.signal,
  );
  // Broken off, it says nothing of the tool.
  request.signal?.throwIfAborted();
  if (tools.kind === "failed") return { kind: "noKey", text: tools.text, env };
  try {
    return {
      kind: "question",
      env,
      selection: selectionOf(engine, request),
      dependencies: dependencyOutputs(engine, request),
      projectDirectory: engine.projectPath,
      ignorePatterns: task.cache.ignoreInputs,
      action: {
        digestFunction: settings.digestFunction,
        task: task.name,
        command: request.argv,
        workingDirectory: workingDirectory(engine, request),
        variables: filtered.variables,
        environmentMode: task.cache.envMode ?? settings.envMode,
        outputs: resolvePatterns(task.outputs ?? [], engine.projectPath),
        dependencies: request.dependencies.flatMap(({ task: name, key, outputs }) =>
          outputs === undefined && key !== undefined ? [{ task: name, key }] : [],
        ),
        tools: tools.outputs,
        platform: hostPlatform(),
        cacheKey: task.cache.cacheKey,
        customKeyComponents: task.cache.customKeyComponents,
        keyEpoch: task.cache.keyEpoch ?? settings.keyEpoch,
        namespace: settings.namespace,
        timeoutMs: task.timeoutMs,
        declaredInputs: {
          inputs: task.inputs ?? null,
          extraInputs: task.cache.extraInputs,
          ignoreInputs: task.cache.ignoreInputs,
        },
      },
    };
  } catch (error) {
    return noKey(request, env, error);
  }
}

/**
 * The second part of {@link computeKey}: made of the question and of files, and of nothing else.
 * @param isTold whether somebody told already what is odd about the inputs
 * @throws as that
 */
export async function answerKey(
  engine: CacheEngine,
  request: TaskRequest,
  { env, selection, dependencies, projectDirectory, ignorePatterns, action: asked }: KeyQuestion,
  { isTold = false }: { readonly isTold?: boolean } = {},
): Promise<KeyComputation> {
  const { index } = engine;
  const pause = createStretch(request.signal);
  try {
    const selected = selection === undefined ? nothingSelected : engine.select(selection);
    const { files, problems } = selected;
    if (!isTold) tellInputProblems(engine, request, { problems, hasFiles: files.length > 0 });
    await hashLargeFiles(index, files, { pause, signal: request.signal });
    const seen = await lookInTurns(index, files, request.signal);
    const inputs = createInputSet({
      index,
      digestFunction: asked.digestFunction,
      files,
      seen,
      dependencies,
      projectDirectory,
      ignorePatterns,
      memo: engine.inputMemo,
    });
    const action = buildAction({ ...asked, inputs });
    // A signal that came meanwhile is heard before the task starts.
    await pause();
    const key = { digest: action.digest, action, env, selection, selected, inputs };
    return { kind: "key", key };
  } catch (error) {
    return noKey(request, env, error);
  }
}

const nothingSelected: Selection = { files: [], problems: [], checks: [] };

/** @throws the signal's reason, and all that does not make the task run uncached */
function noKey({ signal, task }: TaskRequest, env: NoKey["env"], error: unknown): NoKey {
  signal?.throwIfAborted();
  if (!isUnreadableInput(error)) throw atTask(error, task);
  return { kind: "noKey", text: error.message, env };
}

function filterEnvironment(engine: CacheEngine, request: TaskRequest): FilteredEnvironment {
  return filterEnvironmentVariables({
    ...environmentFilter(engine.settings, request.task, request),
    secrets: [...request.secretNames],
    ...(request.secretNames.size > 0 ? { secretSalt: engine.secretSalt() } : {}),
  });
}

/** Relative to the workspace root. */
export function workingDirectory(engine: CacheEngine, request: TaskRequest): string {
  return normalizeWorkingDirectory({
    workspaceRoot: engine.workspaceRoot,
    projectDirectory: engine.projectPath,
    workingDirectory: request.task.directory,
  });
}

/** What cannot be put into a key makes the task run uncached, and fails nothing. */
const unkeyable: ReadonlySet<string> = new Set([
  "KEY_INPUT_UNREADABLE",
  "DIGEST_FILE_CHANGED",
  "REAPI_MESSAGE_INVALID",
]);

/** The system's own errors, too: a file system that does not say what is there. */
function isUnreadableInput(error: unknown): error is Error {
  if (error instanceof CuenvError) return unkeyable.has(error.code);
  return error instanceof Error && "syscall" in error;
}

/** Of restores that are going on, or were killed. */
const staging = { projectDirectory: "", patterns: [`${stagingPrefix}*`] } as const;

function selectionOf(engine: CacheEngine, request: TaskRequest): SelectionRequest | undefined {
  const { cache, inputs, outputs } = request.task;
  if (cache.cacheKey !== undefined) return undefined;
  const projectDirectory = engine.projectPath;
  const declared = request.dependencies.map((dependency) => dependency.declaredOutputs);
  return {
    index: engine.index,
    projectDirectory,
    patterns: inputs,
    extraPatterns: cache.extraInputs,
    ignorePatterns: cache.ignoreInputs,
    excludeOutputs: [
      ...[outputs ?? [], ...declared]
        .filter((patterns) => patterns.length > 0)
        .map((patterns) => ({ projectDirectory, patterns })),
      staging,
    ],
    excludePaths: engine.excludedPaths,
  };
}

/** Whether a path may be among the files that enter the task's key by its own patterns: what git ignores is not looked at. */
export function mayBeInput(engine: CacheEngine, request: TaskRequest, path: string): boolean {
  const { cache, inputs } = request.task;
  if (cache.cacheKey !== undefined) return false;
  const patterns = [
    ...(startsFromAll(inputs) ? ["**"] : []),
    ...(inputs ?? []),
    ...cache.extraInputs,
  ];
  return matchesSet(compilePatterns(patterns, engine.projectPath), path);
}

function dependencyOutputs(
  engine: CacheEngine,
  request: TaskRequest,
): readonly DependencyOutputs[] {
  return request.dependencies.flatMap(({ task, outputs, declaredOutputs }) =>
    outputs === undefined
      ? []
      : [
          {
            task,
            projectDirectory: engine.projectPath,
            patterns: declaredOutputs,
            nodes: outputs satisfies readonly OutputEntry[],
          },
        ],
  );
}
