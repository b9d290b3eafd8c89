// The names that the schema has, for hints; schema/base/*.cue judges. A test holds the two together.

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

const top = words("name tasks env environment config hooks");
const task = words(`
  description command args script shell scriptShell shellOptions workingDir dir env params dependencies dependsOn
  inputs outputs cache cacheKey cache_key cacheConfig cache_config cacheEnv cache_env timeout retry continueOnError
  labels hermetic captures security capabilities runtime dagger type mode maxConcurrency tasks stdout stderr exitCode`);
const envFilter = words("include exclude useSmartDefaults use_smart_defaults");
const cacheConfig = words(`
  mode envInclude env_include envExclude env_exclude envMode env_mode extraInputs extra_inputs ignoreInputs ignore_inputs
  customKeyComponents custom_key_components runtime keyEpoch key_epoch maxAge max_age timeout maxSize max_size`);
const cacheSettings = words(`
  enabled mode defaultMode default_mode cacheDir cache_dir baseDir base_dir maxSize max_size maxAge max_age
  evictionPolicy eviction_policy envInclude env_include envExclude env_exclude envMode env_mode runtime keyEpoch
  key_epoch digestFunction digest_function durability statsRetentionDays stats_retention_days namespace
  inlineThreshold inline_threshold storage remote remoteCache remote_cache $schema`);

/** Structs of a task, by the field they are in. */
const inTask: Readonly<Record<string, readonly string[]>> = {
  cache: words("enabled env mode maxAge max_age"),
  cacheConfig,
  cache_config: cacheConfig,
  cacheEnv: envFilter,
  cache_env: envFilter,
  shellOptions: words("errexit nounset pipefail xtrace"),
  retry: words("attempts delay"),
  dir: words("from path"),
};

/** The fields that the schema has at a path; none where names are free. */
export function knownFields(path: readonly string[]): readonly string[] {
  const [first, second] = path;
  if (first === undefined) return top;
  if (first === "config") return second === "cache" && path.length === 2 ? cacheSettings : [];
  if (first !== "tasks") return [];
  const rest = withoutIndices(path.slice(1));
  if (rest.length === 0) return [];
  const at = rest.findIndex((name, index) => index > 0 && name !== "tasks" && task.includes(name));
  if (at === -1) return rest.at(-1) === "tasks" && rest.length > 1 ? [] : task;
  const inside = rest.slice(at);
  const fields = inTask[inside[0] ?? ""] ?? [];
  if (inside.length === 1) return fields;
  return inside.length === 2 && inside[0] === "cache" && inside[1] === "env" ? envFilter : [];
}

/** Where an unknown name may as well be a member of a group. */
export function isFreeField(path: readonly string[]): boolean {
  return knownFields(path) === top;
}

/** Items of sequences are what the sequence's members are. */
function withoutIndices(path: readonly string[]): readonly string[] {
  return path.filter((name, index) => index === 0 || !/^\d+$/.test(name));
}
