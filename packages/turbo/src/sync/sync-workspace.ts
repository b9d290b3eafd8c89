// What of env.cue turbo.json is made of: `cuenv inspect` gives the same of a task, as far as it is used here.

export interface SyncWorkspace {
  /** The packages of the workspace that have an env.cue, the root among them. */
  readonly packages: readonly SyncPackage[];
  /** Those that have none. */
  readonly others: readonly PackagePlace[];
  /** Commands whose output tells apart the caches that `cuenv turbo` keeps. */
  readonly runtime: readonly string[];
}

export interface PackagePlace {
  readonly name: string;
  /** From turbo's root, with `/`; "" for the root itself. */
  readonly path: string;
  readonly scripts: Readonly<Record<string, string>>;
}

export interface SyncPackage extends PackagePlace {
  readonly tasks: readonly SyncTask[];
  /** What `//` in patterns stands for, from turbo's root; "" where that is the same, or below it. */
  readonly cuenvRoot: string;
  /** Turbo's root from there; "" where that is the same, or above it. */
  readonly rootInCuenv: string;
  /** The CUE files that the tasks are read from, from turbo's root. */
  readonly cueFiles: readonly string[];
  /** Outputs of its tasks that git ignores. */
  readonly ignoredOutputs: readonly string[];
  /** Whether env.cue has environments, of which CUENV_ENV chooses one. */
  readonly hasEnvironments: boolean;
}

export type SyncTask = SyncCommand | SyncGroup;

export interface SyncGroup {
  readonly kind: "group" | "sequence";
  readonly name: string;
  readonly line: number | null;
  readonly dependencies: readonly string[];
  readonly members: readonly string[];
  /** Whether it comes to the same when its commands are run each by itself. */
  readonly free: boolean;
}

export interface SyncCommand {
  readonly kind: "command";
  readonly name: string;
  readonly line: number | null;
  /** As declared: tasks, groups and sequences. */
  readonly dependencies: readonly string[];
  /** The commands that it depends on. */
  readonly commands: readonly string[];
  readonly printedBy: readonly string[];
  readonly refused: { readonly message: string } | null;
  readonly inputs: readonly string[] | null;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
  readonly outputs: readonly string[] | null;
  readonly hasCacheKey: boolean;
  readonly cache: "off" | "read" | "read-write" | "write";
  readonly maxAgeMs: number | null;
  readonly environment: {
    readonly set: readonly string[];
    readonly host: readonly string[];
    readonly secrets: readonly string[];
    readonly include: readonly string[];
    readonly exclude: readonly string[];
    readonly mode: "strict" | "loose";
  };
  readonly runtime: readonly string[];
}

/** What turbo.json cannot say, and what that means. */
export interface SyncNote {
  /** From turbo's root. */
  readonly file: string;
  readonly line: number | null;
  readonly task: string | null;
  readonly message: string;
}

/** The fields of a task that are cuenv's to write, each with its value: `cache` is true where turbo.json says nothing. */
export interface TurboTask {
  readonly cache: boolean;
  readonly dependsOn: readonly string[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly env: readonly string[];
  readonly passThroughEnv: readonly string[];
}

/**
 * Variables that the scripts see which run cuenv: what cuenv itself obeys to, and finds its cache folder by; or all, where turbo keeps no result, and cuenv says what
 * the task sees. CUENV_ENV is an error in a project without environments, so those that have some get it by `env`.
 */
export const passedOn: Readonly<Record<"own" | "all", readonly string[]>> = {
  own: ["CUENV_*", "!CUENV_ENV", "XDG_*"],
  all: ["*", "!CUENV_ENV"],
};

/** What turbo takes for a field that is not there. */
export const neutralTask: TurboTask = {
  cache: true,
  dependsOn: [],
  inputs: ["$TURBO_DEFAULT$"],
  outputs: [],
  env: [],
  passThroughEnv: [],
};

/** In the order in which they are written. */
export const turboFields: readonly (keyof TurboTask)[] = [
  "dependsOn",
  "inputs",
  "outputs",
  "env",
  "passThroughEnv",
  "cache",
];
