/** A flag of a command. */
export interface Flag {
  readonly type: "string" | "boolean";
  readonly short?: string;
  /** What a string flag takes. Completion offers files for FILE, folders for DIR. */
  readonly value?: string;
  /** All that it takes, for completion. */
  readonly choices?: readonly string[];
  readonly summary: string;
}

/** What was given on the command line. Flags that were not given are absent. */
export interface Invocation {
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** Names before `--`. */
  readonly names: readonly string[];
  /** What stood after `--`; undefined when there was none. */
  readonly rest: readonly string[] | undefined;
}

/** Runs a command and says its exit code. */
export type CommandFunction = (invocation: Invocation) => Promise<number>;

export interface Command {
  /** One or two words: `task`, `cache clear`. */
  readonly name: string;
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Completion offers tasks for TASK, files for FILE, commands for COMMAND. */
  readonly usage: string;
  /** For scripts of ours: no help or completion shows it. */
  readonly hidden?: boolean;
  /** Whether words that are no flags may follow. */
  readonly takesNames: boolean;
  /** All that stands after its name is another program's, flags too; only --help alone is ours. */
  readonly passesThrough?: boolean;
  /** The bytes of others go through it: a server. */
  readonly serves?: boolean;
  readonly flags: Readonly<Record<string, Flag>>;
  /** More than the summary says: lines for the command's own help. */
  readonly about?: readonly string[];
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly load: () => Promise<CommandFunction>;
}
