/** The task executor: what runs, in which order, as which process, with which output. It knows nothing of caching. */
export { type Plan, type PlanNode, type PlanOptions, planRun } from "./plan.ts";
export { planChecked } from "./plan-checked.ts";
export {
  type ExecutionContext,
  type RunEvent,
  type RunOptions,
  type RunSummary,
  runPlan,
} from "./run-plan.ts";
export {
  type ExecutionOutcome,
  Interruption,
  interruptExitCode,
  type NodeOutcome,
  type ProcessOutcome,
  signalExitCode,
  type SkipReason,
} from "./outcome.ts";
export { type ChunkSink } from "./drain-output.ts";
export { keepHeapSmallFor } from "./keep-heap-small.ts";
export { keepSparePipes } from "./real-pipe.ts";
export { type ProcessRequest, runProcess } from "./run-process.ts";
export { type AttachedRequest, runAttached } from "./run-attached.ts";
export { type AttemptOptions, runAttempts } from "./run-attempts.ts";
export { taskPath, type TaskPathOptions } from "./task-path.ts";
export { resolveAction, type ResolveActionOptions } from "./resolve-action.ts";
export { type OutputsOf, referencedOutput, type TaskOutputs } from "./output-reference.ts";
export {
  type ResolvedEnvironment,
  resolveEnvironment,
  type ResolveEnvironmentOptions,
} from "./resolve-environment.ts";
export {
  createSecretResolver,
  type SecretResolver,
  type SecretResolverOptions,
} from "./resolve-secret.ts";
export {
  createOutput,
  type OutputMode,
  type OutputOptions,
  type RunOutput,
  type TaskOutput,
} from "./output.ts";
export {
  createDescriptorSink,
  type DescriptorSinkOptions,
  type OutputSink,
} from "./output-sink.ts";
export { shellQuote } from "./shell-quote.ts";
export {
  createMasker,
  type MaskedStream,
  type Masker,
  minimumMaskedBytes,
  secretTexts,
} from "./masker.ts";
export { installSignalHandling, type SignalHandlingOptions } from "./signal-handling.ts";
