/** The bounds of one evaluation. Each has an error code of its own. */
export interface EvaluationLimits {
  /** Wall clock in which this process could work, starting when the evaluator is ready (CUE_LIMIT_TIME). */
  readonly timeoutMs: number;
  /** The evaluator's linear memory (CUE_LIMIT_MEMORY). It holds for the life of one evaluator. */
  readonly memoryBytes: number;
  /** The JSON of value, positions and references (CUE_LIMIT_OUTPUT). */
  readonly outputBytes: number;
  /** One file that is read (CUE_LIMIT_READ). */
  readonly fileBytes: number;
  /** All files together (CUE_LIMIT_READ). */
  readonly totalBytes: number;
  /** Files and folders looked at (CUE_LIMIT_READ). */
  readonly files: number;
}

const mebibyte = 1024 * 1024;

export const defaultLimits: EvaluationLimits = {
  timeoutMs: 10_000,
  memoryBytes: 512 * mebibyte,
  outputBytes: 8 * mebibyte,
  fileBytes: 8 * mebibyte,
  totalBytes: 64 * mebibyte,
  files: 20_000,
};
