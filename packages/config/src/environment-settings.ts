import { CuenvError } from "@cuenv/errors";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import type { Data } from "./evaluated-package.ts";
import { truthOf } from "./environment-switches.ts";
import { createProblems, type Warning } from "./problems.ts";
import { readSettingValue } from "./read-setting-value.ts";
import { settingFields, type SettingKind, settingTable } from "./setting-table.ts";
import { openStruct } from "./struct.ts";

/** Each setting: the variables that set it, ours first; the others are of earlier cuenvs. */
export const settingVariables: Readonly<Record<keyof CacheSettings, readonly string[]>> =
  Object.fromEntries(
    settingFields.map((field) => {
      const { variable, olderVariables = [] } = settingTable[field];
      return [field, [variable, ...olderVariables]];
    }),
  ) as unknown as Record<keyof CacheSettings, readonly string[]>;

export interface EnvironmentSettings {
  readonly settings: CacheSettingsInput;
  /** The variable that each field came from. */
  readonly origins: Readonly<Partial<Record<keyof CacheSettings, string>>>;
  readonly warnings: readonly Warning[];
}

/**
 * The settings that variables set. An empty variable is an unset one; lists are separated by commas.
 * @throws {CuenvError} as parseCacheSettings, each problem naming its variable
 */
export function readEnvironmentSettings(
  environment: Readonly<Record<string, string | undefined>>,
): EnvironmentSettings {
  const origins: Partial<Record<keyof CacheSettings, string>> = {};
  const settings: Partial<Record<keyof CacheSettings, unknown>> = {};
  const warnings: Warning[] = [];
  const errors: CuenvError[] = [];
  for (const field of settingFields) {
    const [ours = "", ...older] = settingVariables[field];
    const name = [ours, ...older].find((candidate) => (environment[candidate] ?? "") !== "");
    if (name === undefined) continue;
    origins[field] = name;
    if (name !== ours) warnings.push(olderVariable(name, ours));
    const { path, value } = settingTable[field];
    const spelling = path.at(-1) ?? "";
    // One struct for each variable: its name is what a message must say, not the setting's.
    const problems = createProblems();
    const data = { [spelling]: fromText(value.kind, environment[name] ?? "") };
    const struct = openStruct(problems, data, "", `the variable ${name}`);
    const read = readSettingValue(struct, spelling, value);
    if (read !== undefined) settings[field] = read;
    try {
      problems.throwIfAny();
    } catch (error) {
      if (error instanceof CuenvError) errors.push(error);
      else throw error;
    }
  }
  if ((environment["CUENV_CACHE_INLINE_THRESHOLD"] ?? "") !== "")
    warnings.push(withoutEffect("CUENV_CACHE_INLINE_THRESHOLD"));
  const [first, ...others] = errors;
  if (first === undefined) return { settings: settings as CacheSettingsInput, origins, warnings };
  const { code, message, hint, field } = first;
  throw new CuenvError(code, message, {
    others,
    ...(hint === undefined ? {} : { hint }),
    ...(field === undefined ? {} : { field }),
  });
}

function olderVariable(name: string, ours: string): Warning {
  const suggestion = `set ${ours}`;
  const message = `the variable ${name} is deprecated: ${suggestion}`;
  return { message, field: name, suggestion, kind: "deprecated", about: "cache" };
}

function withoutEffect(name: string): Warning {
  const message = `the variable ${name} has no effect in this version`;
  return { message, field: name, suggestion: "unset it", about: "cache" };
}

function fromText(kind: SettingKind["kind"], text: string): Data {
  const word = text.trim();
  switch (kind) {
    case "boolean":
      return truthOf(word) ?? text;
    case "integer":
      return /^\d{1,15}$/.test(word) ? Number(word) : text;
    case "globs":
    case "commands":
      return word
        .split(",")
        .map((item) => item.trim())
        .filter((item) => item !== "");
    case "path":
      return text;
    default:
      return word;
  }
}
