import { CuenvError } from "@cuenv/errors";

type Hashes = Readonly<Record<string, string>>;

/** What a task's hash was made of, as turbo says it in `--dry=json` and in the summaries of its runs. */
export interface SummarizedTask {
  /** `package#task`; `//#task` of the root. */
  readonly taskId: string;
  readonly hash: string;
  /** File relative to the package → hash. */
  readonly inputs: Hashes;
  readonly hashOfExternalDependencies: string;
  readonly command: string;
  readonly cliArguments: readonly string[];
  readonly outputs: readonly string[];
  readonly excludedOutputs: readonly string[];
  readonly envMode: string;
  /** Ids of the tasks that it waits for. */
  readonly dependencies: readonly string[];
  /** Name → hash of its value; a variable that is not set has the hash "". */
  readonly variables: Hashes;
  /** Names and wildcards of the variables that count. */
  readonly declaredVariables: readonly string[];
  readonly passThroughVariables: readonly string[];
  /** Undefined where the summary does not say. */
  readonly cached: "local" | "remote" | "no" | undefined;
}

/** What the hash of every task was made of besides. */
export interface SummarizedGlobals {
  readonly files: Hashes;
  readonly hashOfExternalDependencies: string;
  readonly hashOfInternalDependencies: string;
  readonly variables: Hashes;
  readonly declaredVariables: readonly string[];
  readonly passThroughVariables: readonly string[];
  readonly engines: string;
  readonly rootKey: string;
}

export interface RunSummary {
  readonly turboVersion: string;
  /** Milliseconds since the epoch; undefined of a dry run. */
  readonly startedAt: number | undefined;
  /** Of git, when there is one. */
  readonly commit: string | undefined;
  readonly globals: SummarizedGlobals;
  readonly tasks: ReadonlyMap<string, SummarizedTask>;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what turbo wrote. Fields that another version does not have count as empty.
 * @throws {CuenvError} TURBO_SUMMARY when it is no summary
 */
export function parseRunSummary(text: string, source: string): RunSummary {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw unreadable(source, "it is not JSON", cause);
  }
  const fields = fieldsOf(value);
  if (!Array.isArray(fields["tasks"])) throw unreadable(source, "it has no list of tasks");
  const tasks = fields["tasks"].map((task) => taskOf(fieldsOf(task)));
  const started = fieldsOf(fields["execution"])["startTime"];
  const commit = textOf(fieldsOf(fields["scm"])["sha"]);
  return {
    turboVersion: textOf(fields["turboVersion"]),
    startedAt: typeof started === "number" ? started : undefined,
    commit: commit === "" ? undefined : commit,
    globals: globalsOf(fieldsOf(fields["globalCacheInputs"])),
    tasks: new Map(tasks.map((task) => [task.taskId, task])),
  };
}

function unreadable(source: string, reason: string, cause?: unknown): CuenvError {
  return new CuenvError("TURBO_SUMMARY", `cannot read ${source}: ${reason}`, {
    hint: "It should be a summary of turbo, of 2.9 or newer.",
    cause,
  });
}

function taskOf(fields: Fields): SummarizedTask {
  const definition = fieldsOf(fields["resolvedTaskDefinition"]);
  return {
    taskId: textOf(fields["taskId"]),
    hash: textOf(fields["hash"]),
    inputs: hashesOf(fields["inputs"]),
    hashOfExternalDependencies: textOf(fields["hashOfExternalDependencies"]),
    command: textOf(fields["command"]),
    cliArguments: textsOf(fields["cliArguments"]),
    outputs: textsOf(fields["outputs"]),
    excludedOutputs: textsOf(fields["excludedOutputs"]),
    envMode: textOf(fields["envMode"]),
    dependencies: textsOf(fields["dependencies"]),
    ...variablesOf(fieldsOf(fields["environmentVariables"])),
    passThroughVariables: textsOf(definition["passThroughEnv"]),
    cached: cachedOf(fieldsOf(fields["cache"])),
  };
}

function globalsOf(fields: Fields): SummarizedGlobals {
  const variables = fieldsOf(fields["environmentVariables"]);
  return {
    files: hashesOf(fields["files"]),
    hashOfExternalDependencies: textOf(fields["hashOfExternalDependencies"]),
    hashOfInternalDependencies: textOf(fields["hashOfInternalDependencies"]),
    ...variablesOf(variables),
    passThroughVariables: textsOf(fieldsOf(variables["specified"])["passThroughEnv"]),
    engines: JSON.stringify(fields["engines"] ?? null),
    rootKey: textOf(fields["rootKey"]),
  };
}

/** `configured` and `inferred` are lists of `NAME=hash`. */
function variablesOf(fields: Fields): Pick<SummarizedTask, "variables" | "declaredVariables"> {
  const pairs = [...textsOf(fields["configured"]), ...textsOf(fields["inferred"])].map((pair) => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)] as const;
  });
  return {
    variables: Object.fromEntries(pairs),
    declaredVariables: textsOf(fieldsOf(fields["specified"])["env"]),
  };
}

function cachedOf(fields: Fields): SummarizedTask["cached"] {
  if (fields["local"] === true) return "local";
  if (fields["remote"] === true) return "remote";
  return fields["status"] === "MISS" ? "no" : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}

function hashesOf(value: unknown): Hashes {
  return Object.fromEntries(
    Object.entries(fieldsOf(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}
