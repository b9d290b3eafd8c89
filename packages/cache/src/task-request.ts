import type { CacheMode, CommandTask } from "@cuenv/config";
import type { OutputEntry } from "@cuenv/cas";
import type { Digest } from "@cuenv/digest";
import type { AbsentOutputs } from "./absent-outputs.ts";
import type { MissReason, NotStoredReason } from "./cache-event.ts";

/**
 * Where a task's output goes, live or replayed. Chunks are the task's bytes, unchanged, each stream in order. A promise
 * says that the reader is slow: wait for it before the next chunk.
 */
export interface OutputSink {
  readonly stdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly stderr: (chunk: Uint8Array) => void | Promise<void>;
}

/** What a finished task is to those that depend on it. */
export interface DependencyState {
  readonly task: string;
  /** Undefined when the task is not cached, and when its key does not say what it did. */
  readonly key: string | undefined;
  /** What the declared outputs were after the run; undefined when the task declares none. */
  readonly outputs: readonly OutputEntry[] | undefined;
  /** The patterns as declared, relative to the project's folder. */
  readonly declaredOutputs: readonly string[];
  /** It failed, and what depends on it runs all the same (`continueOnError`); what it left behind is not known then. */
  readonly hasFailed?: boolean | undefined;
  /** It succeeded, and left a process behind that may still write what it makes. */
  readonly hasLeftProcess?: boolean | undefined;
  /** It ran after something of which nobody can say what came of it, so its key does not say what it did either; why, for people. */
  readonly blindSince?: string | undefined;
  /** Outputs that are not on disk; undefined: all are. */
  readonly absent?: AbsentOutputs | undefined;
}

/** One task, ready to run: nothing in it is left to resolve. */
export interface TaskRequest {
  readonly task: CommandTask;
  /** Never "off": without a cache nobody asks the engine. */
  readonly mode: CacheMode;
  /** `--force`: run, and store if the mode allows. */
  readonly force: boolean;
  /** The whole argv of the process, shell and arguments of the command line included. */
  readonly argv: readonly string[];
  /** The variables that the project and the task set, resolved, secrets among them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Names of those `variables` whose values are secret. */
  readonly secretNames: ReadonlySet<string>;
  /** The texts that must not be stored: the secrets that these values are or contain, and their longer lines. */
  readonly secretValues: readonly string[];
  readonly hostEnvironment: Readonly<Record<string, string | undefined>>;
  /** Of `hostEnvironment`, what the caller changed for this checkout (PATH): the values that go into keys instead. */
  readonly keyedEnvironment?: Readonly<Record<string, string>> | undefined;
  readonly dependencies: readonly DependencyState[];
  /** Tasks that this run puts before it, though it does not depend on them: nothing of them is in the key, and what they made may be read all the same. */
  readonly after?: readonly DependencyState[];
  readonly output: OutputSink;
  /** Where what a hit printed goes; `nowhere`: it is not even read. Default: `output`. */
  readonly replay?: OutputSink | "nowhere" | undefined;
  readonly signal?: AbortSignal;
  /** When the outputs of a remote hit are fetched: default `now`; `whenNeeded`, before a task that depends on this one runs. */
  readonly download?: "now" | "whenNeeded";
}

/** How a run of the task's process ended, as far as the cache cares. */
export interface Execution {
  /** Exit code 0, no timeout, no signal, not cancelled, and all of its output. Only such runs are stored. */
  readonly succeeded: boolean;
  /** 0 without `succeeded`: it left a process behind, which holds its output open. */
  readonly exitCode: number;
  readonly durationMs: number;
}

/** Runs the task with this environment, its output going to this sink. */
export type Execute<E extends Execution> = (run: {
  readonly env: Readonly<Record<string, string>>;
  readonly output: OutputSink;
  /** The directory of the process, absolute. */
  readonly cwd: string;
  /** To be told the process id of the task, of each attempt: who waits for this task can then see that the task waits for it. */
  readonly onStart: (pid: number) => void;
}) => Promise<E>;

/** What a task printed; null: nothing was recorded. */
export interface Streams {
  readonly stdout: Digest | null;
  readonly stderr: Digest | null;
}

export interface Miss {
  readonly reason: MissReason;
  /** In a few words, for the line that people read: "src/index.ts changed". */
  readonly text: string;
}

export type TaskOutcome<E extends Execution> =
  | {
      readonly kind: "hit";
      readonly key: string;
      readonly tier: string;
      /** How long the stored run took (ms). */
      readonly savedMs: number;
      readonly restoredFiles: number;
      /** Its outputs were left in the remote cache, as `download` allows. */
      readonly isOutputLeft: boolean;
      readonly streams: Streams;
      readonly state: DependencyState;
    }
  | {
      readonly kind: "executed";
      readonly key: string | undefined;
      readonly miss: Miss;
      readonly execution: E;
      readonly stored: boolean;
      readonly notStored: { readonly reason: NotStoredReason; readonly detail: string } | undefined;
      /** Of a run that was stored, or that was forced and succeeded. */
      readonly streams: Streams | undefined;
      readonly state: DependencyState;
    };
