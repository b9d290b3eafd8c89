export type { Data, Evaluation, EvaluationInput, InputStamp } from "./evaluation.ts";
export {
  type EvaluateOptions,
  type EvaluateResult,
  disposeEvaluator,
  evaluate,
} from "./evaluate.ts";
export {
  type EvaluateRememberedOptions,
  type EvaluateRememberedResult,
  evaluateRemembered,
  evaluateToRemember,
  type RememberableEvaluation,
} from "./evaluate-remembered.ts";
export { type ModuleRoot, findModuleRoot } from "./find-module-root.ts";
export { type EvaluationLimits, defaultLimits } from "./limits.ts";
export { type MemoKey, type RememberedEvaluation, recallEvaluation } from "./memo.ts";
