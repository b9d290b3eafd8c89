import { compareUtf8, type DigestFunction, type FileIndex } from "@cuenv/digest";
import { buildAction, type BuiltAction } from "./build-action.ts";
import { resolvePatterns } from "./compile-pattern.ts";
import {
  type EnvironmentFilter,
  filterEnvironmentVariables,
} from "./filter-environment-variables.ts";
import type { InputMemo } from "./input-memo.ts";
import { createInputSet } from "./input-set.ts";
import type { KeyInputs } from "./key-inputs.ts";
import type { DependencyOutputs } from "./merge-dependency-outputs.ts";
import { normalizeWorkingDirectory } from "./normalize-working-directory.ts";
import { selectInputs } from "./select-inputs.ts";
import type { InputProblem, SelectionRequest } from "./selection.ts";

/** A task as somebody describes it; see the types of its parts. */
export interface CacheKeyRequest {
  readonly index: FileIndex;
  readonly digestFunction: DigestFunction;
  readonly task: string;
  readonly command: readonly string[];
  /** Relative to the workspace root. */
  readonly projectDirectory: string;
  /** Absolute, or relative to the project's folder. Default: the project's folder. */
  readonly workingDirectory?: string | undefined;
  /** As declared; undefined: all files of the project that git does not ignore. */
  readonly inputs?: readonly string[] | undefined;
  readonly extraInputs?: readonly string[] | undefined;
  readonly ignoreInputs?: readonly string[] | undefined;
  readonly outputs?: readonly string[] | undefined;
  readonly environment: EnvironmentFilter;
  readonly dependencyOutputs?: readonly DependencyOutputs[] | undefined;
  /** Dependencies that declare no outputs. */
  readonly dependencyKeys?: readonly { readonly task: string; readonly key: string }[] | undefined;
  readonly tools?: readonly { readonly command: string; readonly output: string }[] | undefined;
  readonly platform?: { readonly os: string; readonly arch: string } | undefined;
  readonly cacheKey?: string | undefined;
  readonly customKeyComponents?: Readonly<Record<string, string>> | undefined;
  readonly keyEpoch?: number | undefined;
  readonly namespace?: string | undefined;
  readonly timeoutMs?: number | undefined;
  /** The cache folder, when it lies in the workspace. */
  readonly excludePaths?: readonly string[] | undefined;
  readonly memo?: InputMemo | undefined;
}

/** A key and what it was made of. */
export interface ActionDigest {
  /** The cache key: the hash of the Action's digest. */
  readonly hash: string;
  readonly components: KeyInputs;
  readonly action: BuiltAction;
  readonly problems: readonly InputProblem[];
}

/**
 * The key of a task in one call: selects and hashes its files, filters its environment, builds its Action.
 * @throws {CuenvError} what {@link selectInputs}, `createInputSet` and `buildAction` throw
 */
export function generateCacheKey(request: CacheKeyRequest): ActionDigest {
  const { index, digestFunction, projectDirectory } = request;
  const selection = request.cacheKey === undefined ? select(request) : { files: [], problems: [] };
  const inputs = createInputSet({
    index,
    digestFunction,
    files: selection.files,
    dependencies: request.dependencyOutputs ?? [],
    projectDirectory,
    ignorePatterns: request.ignoreInputs,
    memo: request.memo,
  });
  const action = buildAction({
    ...request,
    dependencies: request.dependencyKeys,
    workingDirectory: normalizeWorkingDirectory({
      workspaceRoot: index.root,
      projectDirectory,
      workingDirectory: request.workingDirectory ?? ".",
    }),
    variables: filterEnvironmentVariables(request.environment).variables,
    environmentMode: request.environment.mode,
    outputs: resolvePatterns(request.outputs ?? [], projectDirectory),
    inputs,
    keyEpoch: request.keyEpoch ?? 0,
    namespace: request.namespace ?? "default",
  });
  const { problems } = selection;
  return { hash: action.digest.hash, components: action.keyInputs(), action, problems };
}

function select(request: CacheKeyRequest): {
  readonly files: readonly string[];
  readonly problems: readonly InputProblem[];
} {
  const { index, projectDirectory, outputs, dependencyOutputs = [], memo } = request;
  const selection: SelectionRequest = {
    index,
    projectDirectory,
    patterns: request.inputs,
    extraPatterns: request.extraInputs,
    ignorePatterns: request.ignoreInputs,
    excludeOutputs: [
      { projectDirectory, patterns: outputs ?? [] },
      ...dependencyOutputs.toSorted((left, right) => compareUtf8(left.task, right.task)),
    ],
    excludePaths: request.excludePaths,
  };
  const remembered = memo?.reuse(selection);
  if (remembered !== undefined) return remembered;
  const found = selectInputs(selection);
  memo?.remember(selection, found);
  return found;
}
