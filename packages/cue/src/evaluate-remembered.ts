import { type EvaluateOptions, type EvaluateResult, evaluateRaw } from "./evaluate.ts";
import { decodeAnswer } from "./decode-answer.ts";
import { recallEvaluation, rememberEvaluation } from "./memo.ts";

export interface EvaluateRememberedOptions extends EvaluateOptions {
  /** Where results are kept; may be deleted at any time, and need not be writable. */
  readonly memoDirectory: string;
}

export interface EvaluateRememberedResult extends EvaluateResult {
  /** False when it was recalled: the evaluator was not loaded. */
  readonly isFresh: boolean;
}

/**
 * `evaluate`, but a result whose inputs are all as they were is recalled, without loading the evaluator. Errors are not
 * remembered. Limits hold for fresh evaluations.
 */
export async function evaluateRemembered(
  options: EvaluateRememberedOptions,
): Promise<EvaluateRememberedResult> {
  const recalled = recallEvaluation(options);
  if (recalled !== undefined) return { ...recalled, isFresh: false };
  const { answer, inputs } = await evaluateRaw(options);
  rememberEvaluation(options, { answer, inputs });
  return { ...decodeAnswer(answer), inputs, isFresh: true };
}

export interface RememberableEvaluation extends EvaluateResult {
  /** Keeps the result in this folder for `recallEvaluation`. Never throws. */
  readonly remember: (memoDirectory: string, seal?: Uint8Array) => void;
}

/** `evaluate`, for who learns only from the result whether, and where, it may be remembered. */
export async function evaluateToRemember(
  options: EvaluateOptions,
): Promise<RememberableEvaluation> {
  const { answer, inputs } = await evaluateRaw(options);
  return {
    ...decodeAnswer(answer),
    inputs,
    remember: (memoDirectory, seal) =>
      rememberEvaluation({ ...options, memoDirectory, seal }, { answer, inputs }),
  };
}
