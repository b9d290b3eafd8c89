import type { EnvironmentMode, TaskCacheSettings } from "../cache-settings.ts";
import { infiniteAgeMs } from "../duration.ts";
import { type DataObject, isDataObject, ownField } from "../evaluated-package.ts";
import {
  readCacheMode,
  readChoice,
  readCommands,
  readMaxAge,
  readVariableGlobs,
} from "../read-setting-value.ts";
import { openStruct, type Struct } from "../struct.ts";
import type { Context } from "./context.ts";
import { readPatterns } from "./path-fields.ts";

const cacheFields: ReadonlySet<string> = new Set(["enabled", "env", "mode", "maxAge", "max_age"]);
const filterFields: ReadonlySet<string> = new Set([
  "include",
  "exclude",
  "useSmartDefaults",
  "use_smart_defaults",
]);

interface Declared {
  enabled?: boolean | undefined;
  mode?: TaskCacheSettings["mode"];
  maxAgeMs?: number | undefined;
  envInclude?: readonly string[] | undefined;
  envExclude?: readonly string[] | undefined;
}

/**
 * Everything a task says about caching: `cache` in its three forms, `cacheKey`, `cacheConfig`, and the older
 * `cache_env`. `declares` says whether the task declares inputs or outputs, which makes it cached without a word.
 */
export function readTaskCache(
  context: Context,
  struct: Struct,
  declares: boolean,
): TaskCacheSettings {
  const older = readOlderEnv(struct);
  const cache = readCacheField(struct);
  const config = readCacheConfig(context, struct);
  const cacheKey = readCacheKey(struct);
  // A key in place of input files, and files beside them, say what a task's result depends on as `inputs` does.
  const isDeclared = declares || cacheKey !== undefined || config.extraInputs.length > 0;
  const enabled = cache.enabled ?? isDeclared;
  return {
    enabled,
    disabledReason: enabled ? undefined : cache.enabled === false ? "task" : "undeclared",
    mode: config.mode ?? cache.mode,
    maxAgeMs: finite(config.maxAgeMs ?? cache.maxAgeMs),
    cacheKey,
    envInclude: config.envInclude ?? cache.envInclude ?? older.envInclude,
    envExclude: config.envExclude ?? cache.envExclude ?? older.envExclude,
    envMode: config.envMode,
    extraInputs: config.extraInputs,
    ignoreInputs: config.ignoreInputs,
    customKeyComponents: config.customKeyComponents,
    runtime: config.runtime,
    keyEpoch: config.keyEpoch,
  };
}

function finite(ageMs: number | undefined): number | undefined {
  return ageMs === infiniteAgeMs ? undefined : ageMs;
}

/** `true`, `false`; or, deprecated, cuenv 0.4's `{enabled, env}` or 0.54's `{mode, maxAge}`. A struct that does not say otherwise enables. */
function readCacheField(struct: Struct): Declared {
  const raw = struct.raw("cache");
  if (raw === undefined) return {};
  if (typeof raw === "boolean") return { enabled: raw };
  if (!isDataObject(raw)) {
    struct.wrongType("cache", "true, false or a struct");
    return {};
  }
  const cache = openStruct(struct.problems, raw, struct.at("cache"), `\`cache\` of ${struct.what}`);
  const maxAge = cache.spelling("maxAge", "max_age");
  cache.refuseUnknown(cacheFields);
  const mode = readTaskMode(cache);
  const declared = {
    enabled: mode === "never" ? false : (cache.boolean("enabled") ?? true),
    mode: mode === "never" ? undefined : mode,
    maxAgeMs: readMaxAge(cache, maxAge),
    ...readEnvFilter(cache, "env"),
  };
  const old = `a struct as \`cache\` of ${struct.what}`;
  struct.problems.deprecate("cache struct", cache.pointer, old, insteadOfStruct(raw, declared));
  return declared;
}

/** What to write in the place of a struct: of its fields those that say something. */
function insteadOfStruct(raw: DataObject, { enabled = true, mode }: Declared): string {
  const env = ownField(raw, "env");
  const has = (field: string): boolean => isDataObject(env) && ownField(env, field) !== undefined;
  const fields = [
    ...(mode === undefined || mode === "read-write" ? [] : [`mode: "${mode}"`]),
    ...(["maxAge", "max_age"].some((field) => ownField(raw, field) !== undefined)
      ? ["maxAge: …"]
      : []),
    ...(has("include") ? ["envInclude: […]"] : []),
    ...(has("exclude") ? ["envExclude: […]"] : []),
  ];
  const config = fields.length === 0 ? "" : `, cacheConfig: {${fields.join(", ")}}`;
  return `write \`cache: ${enabled}${config}\``;
}

/** The four modes, and `never`, which is 0.54's word for off. */
function readTaskMode(cache: Struct): TaskCacheSettings["mode"] | "never" {
  const text = cache.raw("mode");
  if (typeof text === "string" && text.trim().toLowerCase() === "never") return "never";
  return readCacheMode(cache, "mode");
}

function readOlderEnv(struct: Struct): Declared {
  const field = struct.spelling("cache_env", "cacheEnv");
  if (!struct.has(field)) return {};
  const instead = "write `cacheConfig: {envInclude: […], envExclude: […]}`";
  struct.problems.deprecate("cache_env", struct.at(field), `\`${field}\``, instead);
  return readEnvFilter(struct, field);
}

function readEnvFilter(struct: Struct, field: string): Declared {
  const filter = struct.struct(field);
  if (filter === undefined) return {};
  filter.refuseUnknown(filterFields);
  const smart = filter.spelling("useSmartDefaults", "use_smart_defaults");
  if (filter.boolean(smart) !== undefined) {
    const message =
      "`useSmartDefaults` has no effect: a fixed list of variables reaches every task and is never in a key";
    struct.problems.warn("useSmartDefaults", filter.at(smart), message, "cache");
  }
  return {
    envInclude: readVariableGlobs(filter, "include"),
    envExclude: readVariableGlobs(filter, "exclude"),
  };
}

function readCacheKey(struct: Struct): string | undefined {
  const field = struct.spelling("cacheKey", "cache_key");
  const key = struct.string(field);
  if (key !== "") return key;
  struct.wrongValue(field, "is empty", "leave it out, or give the inputs a name of your own");
  return undefined;
}

interface CacheConfig extends Declared {
  readonly envMode: EnvironmentMode | undefined;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
  readonly customKeyComponents: Readonly<Record<string, string>>;
  readonly runtime: readonly string[];
  readonly keyEpoch: number | undefined;
  readonly mode: TaskCacheSettings["mode"];
}

const spellings = {
  mode: ["mode"],
  envInclude: ["envInclude", "env_include"],
  envExclude: ["envExclude", "env_exclude"],
  envMode: ["envMode", "env_mode"],
  extraInputs: ["extraInputs", "extra_inputs"],
  ignoreInputs: ["ignoreInputs", "ignore_inputs"],
  customKeyComponents: ["customKeyComponents", "custom_key_components"],
  runtime: ["runtime"],
  keyEpoch: ["keyEpoch", "key_epoch"],
  maxAge: ["maxAge", "max_age"],
} as const;
const withoutEffect = ["timeout", "maxSize", "max_size"];
const configFields: ReadonlySet<string> = new Set([
  ...Object.values(spellings).flat(),
  ...withoutEffect,
]);

const noCacheConfig: CacheConfig = {
  mode: undefined,
  envMode: undefined,
  extraInputs: [],
  ignoreInputs: [],
  customKeyComponents: {},
  runtime: [],
  keyEpoch: undefined,
};

function readCacheConfig(context: Context, struct: Struct): CacheConfig {
  const field = struct.spelling("cacheConfig", "cache_config");
  const data = struct.raw(field);
  if (data === undefined) return noCacheConfig;
  const what = `\`${field}\` of ${struct.what}`;
  if (!isDataObject(data)) struct.wrongType(field, "a struct");
  const config = openStruct(
    struct.problems,
    isDataObject(data) ? data : {},
    struct.at(field),
    what,
  );
  config.refuseUnknown(configFields);
  for (const name of withoutEffect) {
    if (!config.has(name)) continue;
    const message = `\`${name}\` in \`cacheConfig\` has no effect: limits of size are the whole cache's, \`timeout\` is the task's`;
    config.problems.warn(`cacheConfig ${name}`, config.at(name), message, "cache");
  }
  const of = (name: keyof typeof spellings): string => config.spelling(...spellings[name]);
  return {
    mode: readCacheMode(config, of("mode")),
    envInclude: readVariableGlobs(config, of("envInclude")),
    envExclude: readVariableGlobs(config, of("envExclude")),
    envMode: readChoice(config, of("envMode"), ["strict", "loose"]),
    extraInputs: readPatterns(context, config, of("extraInputs"))?.patterns ?? [],
    ignoreInputs: readPatterns(context, config, of("ignoreInputs"))?.patterns ?? [],
    customKeyComponents: readComponents(config, of("customKeyComponents")),
    runtime: readCommands(config, of("runtime")) ?? [],
    keyEpoch: config.integer(of("keyEpoch"), { minimum: 0, maximum: 2 ** 31 - 1 }),
    maxAgeMs: readMaxAge(config, of("maxAge")),
  };
}

function readComponents(config: Struct, field: string): Readonly<Record<string, string>> {
  const components: Record<string, string> = Object.create(null);
  const struct = config.struct(field);
  if (struct === undefined) return components;
  for (const [name, value] of Object.entries(struct.data)) {
    if (value === null) continue;
    if (typeof value === "string") components[name] = value;
    else if (typeof value === "number" || typeof value === "boolean")
      components[name] = String(value);
    else struct.wrongType(name, "a string, a number or a bool");
  }
  return components;
}
