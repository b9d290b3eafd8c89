/** The cache-key generator: task + files + environment → REAPI Action, and what it was made of. */
export {
  type ActionRequest,
  type Blob,
  buildAction,
  type BuiltAction,
  generateActionDigest,
  hostPlatform,
  keySchema,
} from "./build-action.ts";
export {
  compileOutputPatterns,
  compilePatterns,
  maxPatternLength,
  maxPatterns,
  type Pattern,
  patternAlternatives,
  type PatternSet,
  resolvePatterns,
} from "./compile-pattern.ts";
export { type Cause, type CauseKind, type ChangedComponent } from "./cause.ts";
export { type ConclusionMemo, createConclusionMemo, type Evidence } from "./conclusion-memo.ts";
export { explainMiss } from "./explain-miss.ts";
export { type ExplainOptions } from "./input-causes.ts";
export { loaderVariables, passThroughVariables } from "./environment-lists.ts";
export {
  type EnvironmentFilter,
  type FilteredEnvironment,
  filterEnvironmentVariables,
} from "./filter-environment-variables.ts";
export { type ActionDigest, type CacheKeyRequest, generateCacheKey } from "./generate-cache-key.ts";
export { hashInputFiles } from "./hash-input-files.ts";
export { ignoredPatterns } from "./ignored-patterns.ts";
export { createInputMemo, type InputMemo } from "./input-memo.ts";
export {
  createFileLook,
  createInputSet,
  type FileLook,
  type InputSet,
  type InputSetRequest,
  type SeenFiles,
} from "./input-set.ts";
export { type KeyComponent, keyComponents } from "./key-components.ts";
export type { InputNode, KeyInputs, KeyVariable } from "./key-inputs.ts";
export {
  type DependencyOutputs,
  matchesSet,
  mergeDependencyOutputs,
  type MergedInputs,
} from "./merge-dependency-outputs.ts";
export { normalizeWorkingDirectory } from "./normalize-working-directory.ts";
export { createToolProbe, probeTools, type ToolOutputs, type ToolProbe } from "./probe-tools.ts";
export { portableLinkTarget } from "./resolve-path.ts";
export { selectInputs, startsFromAll } from "./select-inputs.ts";
export type {
  InputProblem,
  OutputPatterns,
  Selection,
  SelectionCheck,
  SelectionRequest,
} from "./selection.ts";
