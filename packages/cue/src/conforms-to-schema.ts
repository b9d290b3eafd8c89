import type { EvaluatorResult } from "./wire.ts";

// schema/base/*.cue in TypeScript, for values that need nothing but to be checked. It may refuse what the schema accepts, never
// accept what the schema refuses or would change; a property test holds the two together.

/** `pointer` is where the value is; references are null there. */
type Check = (value: unknown, pointer: string) => boolean;

type Fields = Readonly<Record<string, Check>>;

const isStruct = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const text: Check = (value) => typeof value === "string";
const truth: Check = (value) => typeof value === "boolean";
const number: Check = (value) => typeof value === "number";
const integer: Check = (value) => Number.isSafeInteger(value);
const anything: Check = () => true;
const anyList: Check = (value) => Array.isArray(value);
const anyStruct: Check = isStruct;
const texts: Check = (value) =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
const textOrNumber: Check = (value) => typeof value === "string" || typeof value === "number";

const either =
  (...checks: readonly Check[]): Check =>
  (value, pointer) =>
    checks.some((check) => check(value, pointer));

const open =
  (fields: Fields): Check =>
  (value, pointer) =>
    isStruct(value) &&
    Object.entries(value).every(
      ([name, field]) =>
        (Object.hasOwn(fields, name) ? fields[name] : anything)?.(field, pointer) ?? false,
    );

const closed =
  (fields: Fields): Check =>
  (value, pointer) =>
    isStruct(value) &&
    Object.entries(value).every(
      ([name, field]) => Object.hasOwn(fields, name) && (fields[name]?.(field, pointer) ?? false),
    );

const each =
  (check: Check): Check =>
  (value, pointer) =>
    isStruct(value) && Object.values(value).every((field) => check(field, pointer));

/** Fields with two spellings. */
const both = (fields: Fields): Fields => {
  const all: Record<string, Check> = { ...fields };
  for (const [name, check] of Object.entries(fields))
    all[name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)] = check;
  return all;
};

const envFilter = closed({
  include: texts,
  exclude: texts,
  useSmartDefaults: truth,
  use_smart_defaults: truth,
});

const cacheConfig = closed(
  both({
    mode: text,
    envInclude: texts,
    envExclude: texts,
    envMode: text,
    extraInputs: texts,
    ignoreInputs: texts,
    customKeyComponents: each(either(text, number, truth)),
    runtime: texts,
    keyEpoch: integer,
    maxAge: text,
    timeout: textOrNumber,
    maxSize: textOrNumber,
  }),
);

const cacheSettings = closed({
  ...both({
    enabled: truth,
    mode: text,
    defaultMode: text,
    cacheDir: text,
    baseDir: text,
    maxSize: textOrNumber,
    maxAge: text,
    evictionPolicy: text,
    envInclude: texts,
    envExclude: texts,
    envMode: text,
    runtime: texts,
    keyEpoch: integer,
    digestFunction: text,
    durability: text,
    statsRetentionDays: integer,
    namespace: text,
    inlineThreshold: anything,
    remoteCache: anyStruct,
  }),
  storage: anything,
  remote: anyStruct,
  $schema: text,
});

const where: Check = (value) => value === "definition" || value === "caller" || value === "module";

const taskFields: Fields = {
  description: text,
  command: text,
  args: anyList,
  script: text,
  shell: either(text, anyStruct),
  scriptShell: text,
  shellOptions: closed({ errexit: truth, nounset: truth, pipefail: truth, xtrace: truth }),
  workingDir: text,
  dir: either(text, closed({ from: where, path: text })),
  env: anyStruct,
  params: anyStruct,
  dependencies: anyList,
  dependsOn: anyList,
  inputs: anyList,
  outputs: anyList,
  cache: either(
    truth,
    closed({ enabled: truth, env: envFilter, mode: text, maxAge: text, max_age: text }),
  ),
  cacheKey: text,
  cache_key: text,
  cacheConfig,
  cache_config: cacheConfig,
  cacheEnv: envFilter,
  cache_env: envFilter,
  timeout: textOrNumber,
  retry: closed({ attempts: integer, delay: textOrNumber }),
  continueOnError: truth,
  labels: either(anyList, anyStruct),
  hermetic: either(truth, anyStruct),
  captures: anyStruct,
  security: open({
    restrictDisk: truth,
    restrictNetwork: truth,
    readOnlyPaths: texts,
    readWritePaths: texts,
    denyPaths: texts,
    allowedHosts: texts,
    inferFromInputsOutputs: truth,
  }),
  capabilities: texts,
  runtime: either(text, anyList, anyStruct),
  dagger: anyStruct,
  type: text,
  mode: text,
  maxConcurrency: integer,
};

const config = open({
  cache: cacheSettings,
  cacheMode: text,
  cacheEnabled: truth,
  defaultEnvironment: text,
});

const fileWithoutTasks = open({ name: text, env: anyStruct, environment: anyStruct, config });

const escaped = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");

/**
 * Whether cuenv's schema would accept a package that was evaluated without it, and leave its value as it is. False: only the schema
 * itself can tell.
 */
export function conformsToSchema({ value, references, lossy }: EvaluatorResult): boolean {
  const node: Check = (task, pointer) => {
    if (Array.isArray(task)) return task.every((item, index) => node(item, `${pointer}/${index}`));
    // What it refers to is a task of its own.
    if (task === null) return Object.hasOwn(references, pointer);
    return (
      isStruct(task) &&
      Object.entries(task).every(([name, field]) => {
        const at = `${pointer}/${escaped(name)}`;
        if (name === "tasks") return nodes(field, at);
        const check = Object.hasOwn(taskFields, name) ? taskFields[name] : undefined;
        if (check !== undefined) return check(field, at);
        return !outputNames.has(name) && node(field, at);
      })
    );
  };
  const nodes: Check = (tasks, pointer) =>
    Array.isArray(tasks)
      ? node(tasks, pointer)
      : isStruct(tasks) &&
        Object.entries(tasks).every(([name, task]) => node(task, `${pointer}/${escaped(name)}`));
  if (lossy || !isStruct(value)) return false;
  const { tasks = {}, ...rest } = value;
  return isStruct(tasks) && nodes(tasks, "/tasks") && fileWithoutTasks(rest, "");
}

/** What the schema gives every task: who names one of them means it, or asks whether it is there. */
const outputNames = new Set(["stdout", "stderr", "exitCode"]);

/** Whether a file's text could refer to what only the schema defines: `build.stdout`, `build["stdout"]`. */
export function mentionsTaskOutputs(bytes: Uint8Array): boolean {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  return /[.["]\s*(?:stdout|stderr|exitCode)\b/.test(source);
}
