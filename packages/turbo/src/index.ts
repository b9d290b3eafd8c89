/** The Turborepo adapter: what turbo says of its runs, and why a task is a miss. */
export { explainTurboTask, type TurboCause, type TurboCauseKind } from "./explain-turbo-task.ts";
export { keptSummaries, latestSummaryOf, pruneSummaries } from "./run-summaries.ts";
export {
  parseRunSummary,
  type RunSummary,
  type SummarizedGlobals,
  type SummarizedTask,
} from "./run-summary.ts";
