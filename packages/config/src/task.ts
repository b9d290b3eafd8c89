import type { Location } from "@cuenv/errors";
import type { CacheSettingsInput, TaskCacheSettings } from "./cache-settings.ts";
import type { Warning } from "./problems.ts";

/** A stream or the exit code of another task's run, used as an argument or a variable; resolved after that task ran. */
export interface TaskOutputReference {
  readonly kind: "taskOutput";
  readonly task: string;
  readonly output: "stdout" | "stderr" | "exitCode";
}

/** A value that a command of the user's produces when a task needs it. It is never stored, logged or put into a key in clear. */
export interface Secret {
  readonly kind: "secret";
  readonly argv: readonly string[];
  /** The command prints a JSON object, and the value is this field of it. */
  readonly jsonKey?: string | undefined;
}

/** The value that a variable of cuenv's own environment has at run time (cuenv 0.54's passthrough); declared, so it is in the key. Unset there: unset here. */
export interface HostVariable {
  readonly kind: "host";
  readonly name: string;
}

export type Argument = string | TaskOutputReference;
/** Several parts are joined without a separator (cuenv 0.54's interpolation arrays). */
export type EnvironmentValue =
  | string
  | Secret
  | TaskOutputReference
  | HostVariable
  | { readonly kind: "joined"; readonly parts: readonly EnvironmentValue[] };
export type EnvironmentValues = Readonly<Record<string, EnvironmentValue>>;

/** How a task's process is made. */
export type TaskAction =
  /** Executed directly, no shell. Arguments after `--` are appended. */
  | { readonly kind: "argv"; readonly argv: readonly Argument[] }
  /** `shell` is the argv before the script, `["sh", "-c"]`. Arguments after `--` are appended shell-quoted when `appendArguments`, else given as $1, $2 … */
  | {
      readonly kind: "shell";
      readonly shell: readonly string[];
      readonly script: string;
      readonly appendArguments: boolean;
    }
  /**
   * The task asks for something that would be unsafe or wrong to leave out (a sandbox, a container, another project's
   * outputs). The project loads and lists it; who would run it ends with `refusedError(task)` before anything runs.
   */
  | { readonly kind: "refused"; readonly message: string; readonly hint: string };

/** A named parameter of a task (cuenv 0.54 `params`): filled from the arguments after `--`, and put in place of `{{name}}` or `{{0}}`. */
export interface TaskParameter {
  readonly name: string;
  /** Index among the positional arguments, or undefined for a `--name value` flag. */
  readonly position?: number;
  readonly description?: string;
  readonly required: boolean;
  readonly default?: string;
  readonly type: "string" | "bool" | "int";
  readonly short?: string;
}

interface TaskBase {
  /** The full name: `build`, `test:unit`; members of groups and sequences `group.member`, `sequence[0]`. */
  readonly name: string;
  readonly description?: string;
  /**
   * Full names, existing, acyclic, each once, in the order written: those declared, those of enclosing groups, tasks
   * whose output is referred to, and for a step written in a sequence the step before. A name may be a group's or a
   * sequence's: then all its members.
   */
  readonly dependencies: readonly string[];
  readonly location?: Location;
}

export interface CommandTask extends TaskBase {
  readonly kind: "command";
  readonly action: TaskAction;
  readonly parameters: readonly TaskParameter[];
  /** Relative to the project folder, normalised, "" for the folder itself; never outside the workspace. */
  readonly directory: string;
  /** The task's own variables, over the project's. */
  readonly env: EnvironmentValues;
  /**
   * Globs, folders, `!` negations, in the order written: relative to the project's folder, or `//` for the workspace
   * root; `.` and `//` are these folders themselves. No `.`, `..` or empty segments in them; a slash at the end stays.
   * Undefined: not declared.
   */
  readonly inputs: readonly string[] | undefined;
  /** Outputs of other tasks taken as inputs, `{task: "build", map?: …}`; those tasks are among `dependencies`. */
  readonly taskInputs: readonly { readonly task: string }[];
  /** As `inputs`; undefined: not declared. */
  readonly outputs: readonly string[] | undefined;
  readonly cache: TaskCacheSettings;
  readonly timeoutMs: number | undefined;
  readonly retry: { readonly attempts: number; readonly delayMs: number };
  readonly continueOnError: boolean;
}

/** All members at once. A member that is another task by reference bears that task's own name. */
export interface GroupTask extends TaskBase {
  readonly kind: "group";
  readonly members: readonly string[];
  readonly maxConcurrency: number | undefined;
}

/** One member after the other; the first failure ends it. A member may be another task by reference, as in a group. */
export interface SequenceTask extends TaskBase {
  readonly kind: "sequence";
  readonly members: readonly string[];
}

export type Task = CommandTask | GroupTask | SequenceTask;

/** A whole `env.cue`, validated: plain, read-only, serialisable data. */
export interface Project {
  readonly name?: string;
  /** The project's variables with the chosen environment's overrides in place. */
  readonly env: EnvironmentValues;
  /** The names of `environment` overrides that exist. */
  readonly environments: readonly string[];
  /** By full name, in the order written. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** `config.cache` of the file: fields that were set, validated. */
  readonly cache: CacheSettingsInput;
  /** What is not honoured, or deprecated: one line each. */
  readonly warnings: readonly Warning[];
}
