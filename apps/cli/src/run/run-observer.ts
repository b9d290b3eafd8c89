import type { CacheEvent } from "@cuenv/cache";
import type { NodeOutcome, PlanNode } from "@cuenv/runner";
import type { NodePayload } from "./run-context.ts";
import type { RunReporter } from "./run-reporter.ts";

/** Told what a run does while it does it. */
export interface RunObserver {
  started(node: PlanNode): void;
  waiting(node: PlanNode): void;
  cacheEvent(event: CacheEvent): void;
  /** Also of a task that was skipped, which was not started. */
  finished(node: PlanNode, outcome: NodeOutcome<NodePayload>): void;
}

/** A reporter that tells an observer, too. */
export function observedReporter(
  reporter: RunReporter,
  observer: RunObserver | undefined,
): RunReporter {
  if (observer === undefined) return reporter;
  return {
    ...reporter,
    waiting: (node) => {
      observer.waiting(node);
      reporter.waiting(node);
    },
    cacheEvent: (event) => {
      observer.cacheEvent(event);
      reporter.cacheEvent(event);
    },
    finished: (node, outcome) => {
      observer.finished(node, outcome);
      reporter.finished(node, outcome);
    },
  };
}
