import type { CacheEngine, DependencyState, TaskOutcome } from "@cuenv/cache";
import type { CacheSettings } from "@cuenv/config";
import type {
  Masker,
  PlanNode,
  ProcessOutcome,
  RunOutput,
  SecretResolver,
  TaskOutputs,
} from "@cuenv/runner";
import type { OpenProject } from "../project/open-project.ts";
import type { Resolved } from "./resolve-node.ts";
import type { RunReporter } from "./run-reporter.ts";

/** How a task's process ended, for the engine and for the run. */
export interface CommandExecution {
  readonly succeeded: boolean;
  readonly exitCode: number;
  readonly durationMs: number;
  readonly process: ProcessOutcome;
}

/** What a run keeps of each task. */
export interface NodePayload {
  /** Undefined: the task is not cached, in this run or ever. */
  readonly cache: TaskOutcome<CommandExecution> | undefined;
  readonly state: DependencyState | undefined;
}

/** Of which tasks: of all, of those that were named, of none. */
export type TaskScope = "all" | "toplevel" | "none";

/** What all tasks of a run share. */
export interface RunContext {
  readonly open: OpenProject;
  readonly settings: CacheSettings;
  /** Undefined: no task of this run is cached. */
  readonly engine: CacheEngine | undefined;
  /** What tasks may see of our environment. */
  readonly hostEnvironment: Readonly<Record<string, string>>;
  /** As `TaskRequest.keyedEnvironment`. */
  readonly keyedEnvironment: Readonly<Record<string, string>>;
  readonly force: boolean;
  /** Whose outputs are fetched when the remote cache has them. What a task that runs needs always is. */
  readonly download: TaskScope;
  /** Which hits print again what they printed. */
  readonly replay: TaskScope;
  /** Though there is no engine, a task that would be cached sees only what it would see then. */
  readonly uncached: boolean;
  /** What tasks are that somebody else ran before: dependencies that are not in the plan. */
  taken: ReadonlyMap<string, DependencyState>;
  /** Told of a task that runs without the engine, once its process was started. */
  onStarted?: (node: PlanNode, resolved: Resolved) => void;
  readonly output: RunOutput;
  /** One task, alone, whose output nobody changes: it may have our own streams. */
  readonly direct: boolean;
  readonly masker: Masker;
  readonly resolveSecret: SecretResolver;
  /** What tasks printed that others refer to. */
  readonly outputs: Map<string, TaskOutputs>;
  /** Names of the tasks that others refer to. */
  readonly referenced: ReadonlySet<string>;
  readonly reporter: RunReporter;
}
