import { homedir } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import { infiniteAgeMs } from "./duration.ts";
import { readEnvironmentSettings } from "./environment-settings.ts";

export type SettingSource = "flag" | "environment" | "project" | "user" | "default";

/** A settings file that was read (`loadSettingsFiles`). */
export interface SettingsFile {
  readonly source: "project" | "user";
  /** Absolute. */
  readonly path: string;
  readonly settings: CacheSettingsInput;
}

export interface SettingValue {
  readonly value: unknown;
  readonly source: SettingSource;
  readonly origin?: string;
}

export interface ResolvedCacheSettings {
  readonly settings: CacheSettings;
  /** Each field with its value and where that came from. */
  readonly sources: Readonly<Record<keyof CacheSettings, SettingValue>>;
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
};

/**
 * One effective value for each setting: flags before environment before project (CUE, then its files) before user
 * before defaults, field by field, so that setting one field never resets another.
 * @throws {CuenvError} as readEnvironmentSettings
 */
export function resolveCacheSettings(options: ResolveOptions): ResolvedCacheSettings {
  const { environment } = options;
  const home = homeOf(environment);
  const layers = layersOf(options);
  const defaults: CacheSettings = {
    ...defaultCacheSettings,
    cacheDir: defaultCacheDirectory(environment),
  };
  const settings: Record<string, unknown> = {};
  const sources: Record<string, SettingValue> = {};
  for (const field of Object.keys(defaults) as (keyof CacheSettings)[]) {
    const layer = layers.find((candidate) => candidate.settings[field] !== undefined);
    const value = layer === undefined ? defaults[field] : effective(field, layer, home);
    const origin = layer?.originOf(field);
    settings[field] = value;
    sources[field] = {
      value,
      source: layer?.source ?? "default",
      ...(origin === undefined ? {} : { origin }),
    };
  }
  return {
    settings: settings as unknown as CacheSettings,
    sources: sources as ResolvedCacheSettings["sources"],
  };
}

function layersOf(options: ResolveOptions): readonly Layer[] {
  const { flags = {}, environment, project = {}, files = [], projectDirectory } = options;
  const directory = options.workingDirectory ?? process.cwd();
  const variables = readEnvironmentSettings(environment);
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
  ];
}

function effective(field: keyof CacheSettings, layer: Layer, home: string): unknown {
  const value = layer.settings[field];
  if (field === "cacheDir" && typeof value === "string")
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

/** `$HOME`, else what the system says. */
export function homeOf(environment: ResolveOptions["environment"]): string {
  const home = environment["HOME"];
  return home !== undefined && isAbsolute(home) ? home : homedir();
}
