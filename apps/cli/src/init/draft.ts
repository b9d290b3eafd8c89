/** Plain data of a task's fields: what CUE and JSON both can say. */
export type FieldValue =
  | string
  | number
  | boolean
  | readonly FieldValue[]
  | { readonly [field: string]: FieldValue };

/** A task of the env.cue that will be written. */
export interface DraftTask {
  readonly name: string;
  /** In the order in which they are written; none is undefined. */
  readonly fields: Readonly<Record<string, FieldValue>>;
  /** Whether it has the draft's `shared` as `cacheConfig.extraInputs`. */
  readonly usesShared: boolean;
}

/** Something that was not translated, or not wholly, and what it means. */
export interface DraftNote {
  /** Undefined: of all tasks. */
  readonly task: string | undefined;
  readonly message: string;
}

/** An env.cue before it is text. */
export interface Draft {
  /** The files that it was made of, relative to the project. */
  readonly sources: readonly string[];
  /** `config.cache`. */
  readonly cache: Readonly<Record<string, FieldValue>>;
  /** Inputs that many tasks have besides their own. */
  readonly shared: readonly string[];
  readonly tasks: readonly DraftTask[];
  readonly notes: readonly DraftNote[];
}

/** What is known of a task while others are still to be read. */
export interface TaskDraft {
  command?: string;
  /** Of `dir: {from: "module"}`: relative to the workspace root. */
  directory?: string;
  description?: string;
  isGroup?: boolean;
  dependencies: string[];
  inputs?: readonly string[];
  outputs?: readonly string[];
  cache?: boolean;
  env?: Readonly<Record<string, string>>;
  envInclude?: readonly string[];
  envExclude?: readonly string[];
  extraInputs?: readonly string[];
  runtime?: readonly string[];
  usesShared?: boolean;
}

/** The fields of a task as they are written; what is not there is left out. */
export function draftTask(name: string, draft: TaskDraft): DraftTask {
  const { directory, isGroup, envInclude = [], envExclude = [], runtime = [] } = draft;
  const cacheConfig = filled({
    envInclude: nonEmpty(envInclude),
    envExclude: nonEmpty(envExclude),
    extraInputs: nonEmpty(draft.extraInputs ?? []),
    runtime: nonEmpty(runtime),
  });
  const fields = filled({
    description: draft.description,
    type: isGroup === true ? "group" : undefined,
    command: draft.command,
    dir: directory === undefined ? undefined : { from: "module", path: directory },
    dependencies: nonEmpty([...new Set(draft.dependencies.map(asCueName))]),
    inputs: draft.inputs,
    outputs: draft.outputs,
    cache: draft.cache,
    env: draft.env !== undefined && Object.keys(draft.env).length > 0 ? draft.env : undefined,
    cacheConfig: Object.keys(cacheConfig).length > 0 ? cacheConfig : undefined,
  });
  // As CUE reads names.
  return { name: asCueName(name), fields, usesShared: draft.usesShared ?? false };
}

function asCueName(name: string): string {
  return name.toWellFormed().normalize("NFC");
}

function nonEmpty(list: readonly string[]): readonly string[] | undefined {
  return list.length > 0 ? list : undefined;
}

function filled(
  fields: Readonly<Record<string, FieldValue | undefined>>,
): Readonly<Record<string, FieldValue>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
