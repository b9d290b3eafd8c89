// What of Nx's plugin API is used here, as it is in Nx 22 to 24. Own types: nx and @nx/devkit are the workspace's, and 76 MB.

/** `createNodes` of a plugin: which files it wants, and what comes of them. */
export type CreateNodes<Options> = readonly [
  glob: string,
  create: (
    files: readonly string[],
    options: Options | undefined,
    context: CreateNodesContext,
  ) => Promise<readonly NodesOfFile[]>,
];

export interface CreateNodesContext {
  /** Absolute. */
  readonly workspaceRoot: string;
  readonly nxJsonConfiguration?: NxJson;
}

export type NodesOfFile = readonly [file: string, nodes: CreatedNodes];

export interface CreatedNodes {
  /** By folder, relative to the workspace root. */
  readonly projects?: Readonly<Record<string, ProjectNodes>>;
}

export interface ProjectNodes {
  readonly name?: string;
  readonly root: string;
  readonly targets: Readonly<Record<string, Target>>;
  readonly metadata?: { readonly technologies?: readonly string[]; readonly description?: string };
}

export type TargetInput =
  | string
  | { readonly env: string }
  | { readonly runtime: string }
  | { readonly fileset: string; readonly includeIgnored: true }
  | { readonly externalDependencies: readonly string[] }
  | { readonly dependentTasksOutputFiles: string; readonly transitive: boolean };

export interface Target {
  readonly executor: string;
  readonly options?: Readonly<Record<string, unknown>>;
  readonly configurations?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly cache: boolean;
  readonly continuous?: true;
  readonly inputs?: readonly TargetInput[];
  readonly outputs?: readonly string[];
  readonly dependsOn?: readonly (string | { readonly target: string })[];
  readonly metadata: {
    readonly technologies: readonly string[];
    readonly description?: string;
    readonly help?: {
      readonly command: string;
      readonly example: { readonly args?: readonly string[] };
    };
  };
}

/** What both hooks are given. */
export interface TasksExecutionContext {
  /** Of this run of Nx. */
  readonly id: string;
  readonly workspaceRoot: string;
  readonly nxJsonConfiguration: NxJson;
}

export interface PostTasksExecutionContext extends TasksExecutionContext {
  readonly taskResults: Readonly<Record<string, NxTaskResult>>;
}

export interface NxJson {
  readonly nxCloudId?: string;
  readonly nxCloudAccessToken?: string;
  readonly neverConnectToCloud?: boolean;
  readonly [field: string]: unknown;
}

export interface NxTaskResult {
  readonly task: {
    readonly id: string;
    /** From the workspace root. */
    readonly projectRoot?: string;
    readonly hash?: string;
    readonly hashDetails?: { readonly nodes?: Readonly<Record<string, string>> };
    readonly startTime?: number;
    readonly endTime?: number;
  };
  /** `success`, `failure`, `local-cache`, `local-cache-kept-existing`, `remote-cache`, `skipped` … */
  readonly status: string;
  readonly startTime?: number;
  readonly endTime?: number;
}

/** A file of the workspace failed; the others' nodes are there all the same. Nx knows it by its name, so that it may come from any copy of nx. */
export class AggregateCreateNodesError extends Error {
  override readonly name = "AggregateCreateNodesError";
  readonly errors: readonly (readonly [file: string, error: Error])[];
  readonly partialResults: readonly NodesOfFile[];

  constructor(
    errors: readonly (readonly [file: string, error: Error])[],
    partialResults: readonly NodesOfFile[],
  ) {
    super("Failed to create nodes");
    this.errors = errors;
    this.partialResults = partialResults;
  }
}

/** What an executor is told of the target that it runs. */
export interface ExecutorContext {
  /** Absolute: the workspace's. */
  readonly root: string;
  readonly projectName?: string;
  readonly targetName?: string;
  readonly target?: { readonly cache?: boolean; readonly continuous?: boolean };
  readonly projectsConfigurations?: {
    readonly projects: Readonly<Record<string, { readonly root: string }>>;
  };
}

/** The files of a workspace as a generator sees and changes them. */
export interface Tree {
  /** Absolute. */
  readonly root: string;
  read(path: string, encoding: "utf-8"): string | null;
  write(path: string, content: string): void;
  exists(path: string): boolean;
  delete(path: string): void;
}

/** Called once the files of a generator are written. */
export type GeneratorCallback = () => void;
