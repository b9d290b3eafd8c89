export type { Data, Evaluation, EvaluationInput } from "./evaluation.ts";
