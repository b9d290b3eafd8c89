import { CuenvError } from "@cuenv/errors";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import type { Data } from "./evaluated-package.ts";
import { createProblems } from "./problems.ts";
import { readCacheSettings, spellingInFiles } from "./read-cache-settings.ts";
import { openStruct } from "./struct.ts";

/** Each setting: the variables that set it, ours first; the others are of earlier cuenvs. */
export const settingVariables: Readonly<Record<keyof CacheSettings, readonly string[]>> = {
  enabled: ["CUENV_CACHE_ENABLED"],
  defaultMode: ["CUENV_CACHE", "CUENV_CACHE_MODE"],
  cacheDir: ["CUENV_CACHE_DIR", "CUENV_CACHE_BASE_DIR"],
  maxSizeBytes: ["CUENV_CACHE_MAX_SIZE", "CUENV_CACHE_SIZE"],
  maxAgeMs: ["CUENV_CACHE_MAX_AGE"],
  evictionPolicy: ["CUENV_CACHE_EVICTION_POLICY"],
  envInclude: ["CUENV_CACHE_ENV_INCLUDE"],
  envExclude: ["CUENV_CACHE_ENV_EXCLUDE"],
  envMode: ["CUENV_CACHE_ENV_MODE"],
  runtime: ["CUENV_CACHE_RUNTIME"],
  keyEpoch: ["CUENV_CACHE_KEY_EPOCH"],
  digestFunction: ["CUENV_CACHE_DIGEST_FUNCTION"],
  durability: ["CUENV_CACHE_DURABILITY"],
  statsRetentionDays: ["CUENV_CACHE_STATS_RETENTION_DAYS"],
  namespace: ["CUENV_CACHE_NAMESPACE"],
};

const lists: ReadonlySet<string> = new Set(["envInclude", "envExclude", "runtime"]);
const integers: ReadonlySet<string> = new Set(["keyEpoch", "statsRetentionDays"]);
const trueWords = new Set(["true", "1", "yes", "on"]);
const falseWords = new Set(["false", "0", "no", "off"]);

export interface EnvironmentSettings {
  readonly settings: CacheSettingsInput;
  /** The variable that each field came from. */
  readonly origins: Readonly<Partial<Record<keyof CacheSettings, string>>>;
}

/**
 * The settings that variables set. An empty variable is an unset one; lists are separated by commas.
 * @throws {CuenvError} as parseCacheSettings, each problem naming its variable
 */
export function readEnvironmentSettings(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const origins: Partial<Record<keyof CacheSettings, string>> = {};
  const settings: CacheSettingsInput = {};
  const errors: CuenvError[] = [];
  for (const field of Object.keys(settingVariables) as (keyof CacheSettings)[]) {
    const names = settingVariables[field];
    const name = names.find((candidate) => (environment[candidate] ?? "") !== "");
    if (name === undefined) continue;
    origins[field] = name;
    // One struct for each variable: its name is what a message must say, not the setting's.
    const problems = createProblems();
    const data = { [spellingInFiles(field)]: fromText(field, environment[name] ?? "") };
    const struct = openStruct(problems, data, "", `the variable ${name}`);
    Object.assign(settings, readCacheSettings(struct));
    try {
      problems.throwIfAny();
    } catch (error) {
      if (error instanceof CuenvError) errors.push(error);
      else throw error;
    }
  }
  const [first, ...others] = errors;
  if (first === undefined) return { settings, origins };
  const { code, message, hint } = first;
  throw new CuenvError(code, message, { others, ...(hint === undefined ? {} : { hint }) });
}

function fromText(field: string, text: string): Data {
  const word = text.trim();
  if (field === "enabled") {
    if (trueWords.has(word.toLowerCase())) return true;
    return falseWords.has(word.toLowerCase()) ? false : text;
  }
  if (integers.has(field)) return /^\d{1,15}$/.test(word) ? Number(word) : text;
  if (lists.has(field))
    return word
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== "");
  return field === "cacheDir" ? text : word;
}
