import type { Location } from "@cuenv/errors";
import { homedir, userInfo } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import { infiniteAgeMs } from "./duration.ts";
import { type EnvironmentSettings, readEnvironmentSettings } from "./environment-settings.ts";
import type { Warning } from "./problems.ts";
import { settingFields, settingTable } from "./setting-table.ts";

export type SettingSource = "flag" | "environment" | "project" | "user" | "default";

/** A settings file that was read (`loadSettingsFiles`). */
export interface SettingsFile {
  readonly source: "project" | "user";
  /** Absolute. */
  readonly path: string;
  readonly settings: CacheSettingsInput;
  /** Where its fields are written, by pointer; found when asked for. */
  readonly positions?: () => Readonly<Record<string, Location>>;
  /** Of the settings in the file: "" or "/cache". */
  readonly pointer?: string;
}

export interface SettingValue {
  readonly value: unknown;
  readonly source: SettingSource;
  /** The variable, the file, or "config.cache in CUE". */
  readonly origin?: string;
}

export interface ResolvedCacheSettings {
  readonly settings: CacheSettings;
  /** Each field with its value and where that came from. */
  readonly sources: Readonly<Record<keyof CacheSettings, SettingValue>>;
  /** Of variables that are deprecated or have no effect, and of settings that this version only knows. */
  readonly warnings: readonly Warning[];
}

export interface ResolveOptions {
  readonly flags?: CacheSettingsInput;
  /** For the `CUENV_CACHE…` variables, `$XDG_CACHE_HOME` and `$HOME`; usually process.env. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** `Project.cache`: what `config.cache` in CUE sets. */
  readonly project?: CacheSettingsInput;
  /** The strongest first. */
  readonly files?: readonly SettingsFile[];
  /** Absolute; a relative `cacheDir` in CUE is below it. */
  readonly projectDirectory: string;
  /** A relative `cacheDir` of a flag or a variable is below it. Default: the process's. */
  readonly workingDirectory?: string;
}

interface Layer {
  readonly source: SettingSource;
  readonly settings: CacheSettingsInput;
  /** What a relative `cacheDir` is relative to. */
  readonly directory: string;
  originOf(field: keyof CacheSettings): string | undefined;
}

const gibibyte = 2 ** 30;

export const defaultCacheSettings: Omit<CacheSettings, "cacheDir"> = {
  enabled: true,
  defaultMode: "read-write",
  maxSizeBytes: 10 * gibibyte,
  maxAgeMs: undefined,
  evictionPolicy: "LRU",
  envInclude: [],
  envExclude: [],
  envMode: "strict",
  runtime: [],
  keyEpoch: 0,
  digestFunction: "sha256",
  durability: "relaxed",
  statsRetentionDays: 30,
  namespace: "default",
  remoteEndpoint: undefined,
  remoteAuthToken: undefined,
  remoteCaCertificate: undefined,
  remoteClientCertificate: undefined,
  remoteClientKey: undefined,
  remoteTimeoutSeconds: 30,
  remoteMaxConcurrent: 10,
  remoteUploadEnabled: true,
  remoteDownloadEnabled: true,
};

/**
 * One effective value for each setting: flags before environment before project (CUE, then its files) before user
 * before defaults, field by field, so that setting one field never resets another.
 * @throws {CuenvError} as readEnvironmentSettings
 */
export function resolveCacheSettings(options: ResolveOptions): ResolvedCacheSettings {
  const variables = readEnvironmentSettings(options.environment);
  const home = homeOf(options.environment);
  const layers = layersOf(options, variables);
  const settings: Record<string, unknown> = {};
  const sources: Record<string, SettingValue> = {};
  for (const field of settingFields) {
    // The last layer, the defaults, has all that have a value.
    const layer = layers.find((candidate) => candidate.settings[field] !== undefined);
    const found = valueIn(layer ?? defaultLayer(options), field, home);
    settings[field] = found.value;
    sources[field] = found;
  }
  return {
    settings: settings as unknown as CacheSettings,
    sources: sources as ResolvedCacheSettings["sources"],
    warnings: variables.warnings,
  };
}

/**
 * Every place that gives a setting, the strongest first, the default last: what `resolveCacheSettings` chooses from.
 * @throws {CuenvError} as readEnvironmentSettings
 */
export function listSettingValues(
  options: ResolveOptions,
): Readonly<Record<keyof CacheSettings, readonly SettingValue[]>> {
  const home = homeOf(options.environment);
  const layers = layersOf(options, readEnvironmentSettings(options.environment));
  const lists = settingFields.map((field) => {
    const given = layers.filter(({ settings }) => settings[field] !== undefined);
    const all = given.at(-1)?.source === "default" ? given : [...given, defaultLayer(options)];
    return [field, all.map((layer) => valueIn(layer, field, home))];
  });
  return Object.fromEntries(lists) as Record<keyof CacheSettings, readonly SettingValue[]>;
}

function layersOf(options: ResolveOptions, variables: EnvironmentSettings): readonly Layer[] {
  const { flags = {}, project = {}, files = [], projectDirectory } = options;
  const directory = options.workingDirectory ?? process.cwd();
  return [
    { source: "flag", settings: flags, directory, originOf: () => undefined },
    {
      source: "environment",
      settings: variables.settings,
      directory,
      originOf: (field) => variables.origins[field],
    },
    {
      source: "project",
      settings: project,
      directory: projectDirectory,
      originOf: () => "config.cache in CUE",
    },
    ...files.map(({ source, path, settings }) => ({
      source,
      settings,
      directory: dirname(path),
      originOf: () => path,
    })),
    defaultLayer(options),
  ];
}

function defaultLayer({ environment, projectDirectory }: ResolveOptions): Layer {
  return {
    source: "default",
    settings: { ...defaultCacheSettings, cacheDir: defaultCacheDirectory(environment) },
    directory: projectDirectory,
    originOf: () => undefined,
  };
}

function valueIn(layer: Layer, field: keyof CacheSettings, home: string): SettingValue {
  const { source } = layer;
  const value = effective(field, layer, home);
  const origin = layer.originOf(field);
  return origin === undefined ? { value, source } : { value, source, origin };
}

function effective(field: keyof CacheSettings, layer: Layer, home: string): unknown {
  const value = layer.settings[field];
  if (settingTable[field].value.kind === "path" && typeof value === "string")
    return absolutePath(value, layer.directory, home);
  if (field === "maxAgeMs" && value === infiniteAgeMs) return undefined;
  return value;
}

/** `~` and `~/x` are below the home folder; everything else that is relative is below `directory`. */
function absolutePath(path: string, directory: string, home: string): string {
  if (path === "~") return home;
  if (path.startsWith("~/") || path.startsWith("~\\")) return join(home, path.slice(2));
  return resolve(directory, path);
}

function defaultCacheDirectory(environment: ResolveOptions["environment"]): string {
  const base = environment["XDG_CACHE_HOME"];
  // The XDG specification: a relative path there is invalid and to be ignored.
  if (base !== undefined && isAbsolute(base)) return join(base, "cuenv");
  return join(homeOf(environment), ".cache", "cuenv");
}

/**
 * `$HOME` where that is an absolute path, else what the system says. It knows nothing of a user without an account, as containers run as: then the root, which is what they
 * say as well; what cannot be kept there is told as of every other folder.
 */
export function homeOf(environment: ResolveOptions["environment"]): string {
  const home = environment["HOME"];
  if (home !== undefined && isAbsolute(home)) return home;
  try {
    // Of this process's own `$HOME` the system's answer is that, whatever it is.
    const said = homedir();
    return isAbsolute(said) ? said : userInfo().homedir;
  } catch {
    return resolve("/");
  }
}
