import type { CuenvError, Location } from "@cuenv/errors";
import type { CacheSettingsInput } from "./cache-settings.ts";
import { isDataObject, kindOf } from "./evaluated-package.ts";
import { createProblems, type Problems, type Warning } from "./problems.ts";
import { type ReadSettingsOptions, readCacheSettings } from "./read-cache-settings.ts";
import { openStruct } from "./struct.ts";

export interface SettingsPlace extends ReadSettingsOptions {
  /** What is read, for messages: `the environment`, `cuenv.cache.json`. */
  readonly what: string;
  /** Pointer of the settings in their document, "" for its top. */
  readonly pointer?: string;
  /** Where the fields are written, by pointer. */
  readonly positions?: Readonly<Record<string, Location>>;
  readonly location?: Location;
}

export interface ParsedCacheSettings {
  readonly settings: CacheSettingsInput;
  readonly warnings: readonly Warning[];
}

/**
 * Cache settings out of plain data of any origin: camelCase first, snake_case accepted, sizes as `2MiB`, ages as `7d`.
 * @throws {CuenvError} CONFIG_TYPE, CONFIG_UNKNOWN_FIELD, CONFIG_VALUE, CONFIG_CACHE_MODE, CONFIG_NAME, CONFIG_USERS_ONLY; all problems at once
 */
export function parseCacheSettings(data: unknown, place: SettingsPlace): ParsedCacheSettings {
  const { settings, warnings, error } = inspectCacheSettings(data, place);
  if (error !== undefined) throw error;
  return { settings, warnings };
}

export interface InspectedCacheSettings extends ParsedCacheSettings {
  /** The first problem, with all others in `others`; then the settings are those that can be read. */
  readonly error: CuenvError | undefined;
}

/** As {@link parseCacheSettings}, for who wants the warnings of a file that is wrong, too. */
export function inspectCacheSettings(data: unknown, place: SettingsPlace): InspectedCacheSettings {
  const problems = createProblems({ positions: place.positions, fallback: place.location });
  const settings = readSettingsData(problems, data, place);
  return { settings, warnings: problems.warnings, error: problems.error() };
}

function readSettingsData(
  problems: Problems,
  data: unknown,
  place: SettingsPlace,
): CacheSettingsInput {
  const { pointer = "", what } = place;
  if (data === undefined || data === null) return {};
  if (isDataObject(data))
    return readCacheSettings(openStruct(problems, data, pointer, what), place);
  const message = `cannot read ${what}: cache settings must be a struct, not ${kindOf(data)}`;
  problems.add("CONFIG_TYPE", pointer, message);
  return {};
}
