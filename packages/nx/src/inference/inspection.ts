// What `cuenv inspect --json` prints (docs/schemas/inspect.schema.json), as far as it is used here.

export interface Inspection {
  readonly version: 1;
  readonly cuenv: string;
  readonly projects: readonly InspectedProject[];
}

export interface InspectedProject {
  /** Absolute. */
  readonly directory: string;
  /** Absolute: what `//` in patterns stands for. */
  readonly workspaceRoot: string;
  readonly name: string | null;
  readonly tasks: readonly InspectedTask[];
  /** That under which the tasks are as they are; null: none was asked for, or the project does not have it. */
  readonly environment: string | null;
  readonly environments: readonly {
    readonly name: string;
    readonly definitions: Readonly<Record<string, string>>;
  }[];
  readonly read: readonly string[];
  readonly error: InspectedError | null;
  readonly writtenTasks?: readonly string[];
}

export interface InspectedError {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
  readonly file: string | null;
  readonly line: number | null;
  readonly column: number | null;
  readonly others?: readonly InspectedError[];
}

export type InspectedTask = InspectedCommand | InspectedGroup;

export interface InspectedGroup {
  readonly kind: "group" | "sequence";
  readonly name: string;
  readonly description: string | null;
  readonly dependencies: readonly string[];
  readonly members: readonly string[];
  /** Whether its commands may be run each by itself, after their own dependencies. */
  readonly free: boolean;
}

export interface InspectedCommand {
  readonly kind: "command";
  readonly name: string;
  readonly description: string | null;
  /** As declared: names of tasks, groups and sequences. */
  readonly dependencies: readonly string[];
  readonly definition: string;
  /** The commands that it depends on. */
  readonly commands: readonly string[];
  /** Tasks whose printed output it uses. */
  readonly printedBy: readonly string[];
  readonly refused: { readonly message: string; readonly hint: string } | null;
  readonly directory: string;
  readonly inputs: readonly string[] | null;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
  /** Those of both that name what git ignores. */
  readonly ignoredInputs: readonly string[];
  readonly outputs: readonly string[] | null;
  readonly hasCacheKey: boolean;
  readonly cache: "off" | "read" | "read-write" | "write";
  /** The mode without what narrows it for who calls: variables and the user's own settings file. */
  readonly declaredCache: InspectedCommand["cache"];
  readonly maxAgeMs: number | null;
  readonly environment: {
    readonly host: readonly string[];
    readonly secrets: readonly string[];
    readonly include: readonly string[];
    readonly exclude: readonly string[];
  };
  readonly runtime: readonly string[];
  readonly parameters: readonly {
    readonly name: string;
    readonly position: number | null;
    readonly description: string | null;
    readonly required: boolean;
    readonly default: string | null;
  }[];
}
