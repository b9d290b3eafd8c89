import { nearName } from "@cuenv/errors";
import type { CacheSettingsInput } from "../cache-settings.ts";
import { isDataObject, kindOf, ownField } from "../evaluated-package.ts";
import { readCacheSettings } from "../read-cache-settings.ts";
import { readCacheMode } from "../read-setting-value.ts";
import { named, openStruct } from "../struct.ts";
import type { Context } from "./context.ts";

export interface ProjectConfig {
  readonly cache: CacheSettingsInput;
  /** cuenv 0.6's `defaultEnvironment`: chosen when none is asked for. */
  readonly defaultEnvironment: string | undefined;
}

const honoured = ["cache", "cacheMode", "cacheEnabled", "defaultEnvironment"];
const ignored = [
  "outputFormat",
  "auditMode",
  "traceOutput",
  "defaultCapabilities",
  "commands",
  "ci",
  "backend",
];

/** `config` of the project: `config.cache`, and cuenv 0.6's `cacheMode` and `cacheEnabled`, which it wins over. */
export function readProjectConfig(context: Context): ProjectConfig {
  const { problems } = context;
  const data = ownField(context.value, "config");
  if (data === undefined) return { cache: {}, defaultEnvironment: undefined };
  if (!isDataObject(data)) {
    const message = `cannot read the project: \`config\` must be a struct, not ${kindOf(data)}`;
    problems.add("CONFIG_TYPE", "/config", message);
    return { cache: {}, defaultEnvironment: undefined };
  }
  const config = openStruct(problems, data, "/config", "`config`");
  for (const field of Object.keys(data)) {
    if (honoured.includes(field) || field.startsWith("_") || !config.has(field)) continue;
    if (field === "trust") {
      const message =
        "cannot read `config`: `trust` is not the project's to set: whoever changes a project's files could choose whose results are used";
      const hint =
        "whom to trust is said below `trust` in the user's config.json, or by CUENV_TRUST and CUENV_TRUST_FILE";
      problems.add("CONFIG_USERS_ONLY", config.at(field), message, hint);
      continue;
    }
    const near = ignored.includes(field) ? undefined : nearName(field, [...honoured, ...ignored]);
    if (near === undefined) {
      const message = `${named(field)} in \`config\` has no effect in this version`;
      problems.warn(`ignored config.${field}`, config.at(field), message);
    } else {
      const message = `cannot read \`config\`: ${named(field)} is not a field of it`;
      problems.add("CONFIG_UNKNOWN_FIELD", config.at(field), message, `did you mean \`${near}\`?`);
    }
  }
  for (const [field, replacement] of [
    ["cacheMode", "config.cache.defaultMode"],
    ["cacheEnabled", "config.cache.enabled"],
  ] as const) {
    if (!config.has(field)) continue;
    const instead = `write \`${replacement}\``;
    problems.deprecate(`config.${field}`, config.at(field), `\`config.${field}\``, instead);
  }
  const defaultMode = readCacheMode(config, "cacheMode");
  const enabled = config.boolean("cacheEnabled");
  const cache = config.struct("cache", "`config.cache`");
  return {
    cache: {
      ...(defaultMode === undefined ? {} : { defaultMode }),
      ...(enabled === undefined ? {} : { enabled }),
      ...(cache === undefined ? {} : readCacheSettings(cache)),
    },
    defaultEnvironment: config.string("defaultEnvironment"),
  };
}
