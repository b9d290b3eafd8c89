/** What would happen, and why: apart from the index, because no run needs it. */
export {
  type Cause,
  type ChangedComponent,
  explainMiss,
  ignoredPatterns,
  type KeyComponent,
  keyComponents,
  type KeyInputs,
} from "@cuenv/key";
export { engineAfterRestores } from "./engine-after-restores.ts";
export { keyInputsOf } from "./key-inputs-of.ts";
export { ownCauses, type UnknownDependency } from "./own-causes.ts";
export { patternError } from "./pattern-error.ts";
export { readBlob } from "./read-blob.ts";
export { previewAfterBlind, previewTask, type TaskPreview } from "./preview-task.ts";
export { keyForDependents } from "./resolved-mode.ts";
export { dependencyState } from "./task-state.ts";
