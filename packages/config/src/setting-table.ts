import type { CacheSettings } from "./cache-settings.ts";

const mebibyte = 2 ** 20;
export const minimumCacheBytes: number = mebibyte;
export const maximumCacheBytes: number = mebibyte * mebibyte;

/** What a setting's value looks like: what the reader, the variables and the JSON Schema are made from. */
export type SettingKind =
  | { readonly kind: "boolean" | "mode" | "path" | "size" | "age" | "globs" | "commands" }
  | { readonly kind: "namespace" | "endpoint" | "token" }
  | { readonly kind: "policy" | "choice"; readonly choices: readonly string[] }
  | { readonly kind: "integer"; readonly minimum: number; readonly maximum: number };

export interface Setting {
  /** Where files have it: `["maxSize"]`, `["remoteCache", "endpoint"]`. snake_case is read of each, too. */
  readonly path: readonly [string] | readonly ["remoteCache", string];
  readonly value: SettingKind;
  /** Names of earlier cuenvs, deprecated. */
  readonly older?: readonly string[];
  readonly variable: string;
  readonly olderVariables?: readonly string[];
  /** Read from the user's file, variables and flags only: a pull request must not redirect the cache. */
  readonly isUsersOnly?: true;
}

export const remoteStruct = "remoteCache";

/** Every global setting. Docs, variables, JSON Schema and the reader are held to this table. */
export const settingTable: { readonly [Field in keyof CacheSettings]: Setting } = {
  enabled: { path: ["enabled"], value: { kind: "boolean" }, variable: "CUENV_CACHE_ENABLED" },
  defaultMode: {
    path: ["defaultMode"],
    value: { kind: "mode" },
    older: ["mode"],
    variable: "CUENV_CACHE",
    olderVariables: ["CUENV_CACHE_MODE"],
  },
  cacheDir: {
    path: ["cacheDir"],
    value: { kind: "path" },
    older: ["baseDir", "base_dir"],
    variable: "CUENV_CACHE_DIR",
    olderVariables: ["CUENV_CACHE_BASE_DIR"],
  },
  maxSizeBytes: {
    path: ["maxSize"],
    value: { kind: "size" },
    variable: "CUENV_CACHE_MAX_SIZE",
    olderVariables: ["CUENV_CACHE_SIZE"],
  },
  maxAgeMs: { path: ["maxAge"], value: { kind: "age" }, variable: "CUENV_CACHE_MAX_AGE" },
  evictionPolicy: {
    path: ["evictionPolicy"],
    value: { kind: "policy", choices: ["LRU", "LFU", "FIFO", "SizeBased"] },
    variable: "CUENV_CACHE_EVICTION_POLICY",
  },
  envInclude: {
    path: ["envInclude"],
    value: { kind: "globs" },
    variable: "CUENV_CACHE_ENV_INCLUDE",
  },
  envExclude: {
    path: ["envExclude"],
    value: { kind: "globs" },
    variable: "CUENV_CACHE_ENV_EXCLUDE",
  },
  envMode: {
    path: ["envMode"],
    value: { kind: "choice", choices: ["strict", "loose"] },
    variable: "CUENV_CACHE_ENV_MODE",
  },
  runtime: { path: ["runtime"], value: { kind: "commands" }, variable: "CUENV_CACHE_RUNTIME" },
  keyEpoch: {
    path: ["keyEpoch"],
    value: { kind: "integer", minimum: 0, maximum: 2 ** 31 - 1 },
    variable: "CUENV_CACHE_KEY_EPOCH",
  },
  digestFunction: {
    path: ["digestFunction"],
    value: { kind: "choice", choices: ["sha256", "blake3"] },
    variable: "CUENV_CACHE_DIGEST_FUNCTION",
  },
  durability: {
    path: ["durability"],
    value: { kind: "choice", choices: ["relaxed", "batch", "full"] },
    variable: "CUENV_CACHE_DURABILITY",
  },
  statsRetentionDays: {
    path: ["statsRetentionDays"],
    value: { kind: "integer", minimum: 1, maximum: 3650 },
    variable: "CUENV_CACHE_STATS_RETENTION_DAYS",
  },
  namespace: {
    path: ["namespace"],
    value: { kind: "namespace" },
    variable: "CUENV_CACHE_NAMESPACE",
  },
  remoteEndpoint: {
    path: [remoteStruct, "endpoint"],
    value: { kind: "endpoint" },
    variable: "CUENV_REMOTE_CACHE_ENDPOINT",
    isUsersOnly: true,
  },
  remoteAuthToken: {
    path: [remoteStruct, "authToken"],
    value: { kind: "token" },
    variable: "CUENV_REMOTE_CACHE_AUTH_TOKEN",
    isUsersOnly: true,
  },
  remoteCaCertificate: {
    path: [remoteStruct, "caCertificate"],
    value: { kind: "path" },
    variable: "CUENV_REMOTE_CACHE_CA_CERTIFICATE",
    isUsersOnly: true,
  },
  remoteClientCertificate: {
    path: [remoteStruct, "clientCertificate"],
    value: { kind: "path" },
    variable: "CUENV_REMOTE_CACHE_CLIENT_CERTIFICATE",
    isUsersOnly: true,
  },
  remoteClientKey: {
    path: [remoteStruct, "clientKey"],
    value: { kind: "path" },
    variable: "CUENV_REMOTE_CACHE_CLIENT_KEY",
    isUsersOnly: true,
  },
  remoteTimeoutSeconds: {
    path: [remoteStruct, "timeoutSeconds"],
    value: { kind: "integer", minimum: 1, maximum: 300 },
    variable: "CUENV_REMOTE_CACHE_TIMEOUT",
  },
  remoteMaxConcurrent: {
    path: [remoteStruct, "maxConcurrent"],
    value: { kind: "integer", minimum: 1, maximum: 100 },
    variable: "CUENV_REMOTE_CACHE_MAX_CONCURRENT",
  },
  remoteUploadEnabled: {
    path: [remoteStruct, "uploadEnabled"],
    value: { kind: "boolean" },
    variable: "CUENV_REMOTE_CACHE_UPLOAD",
  },
  remoteDownloadEnabled: {
    path: [remoteStruct, "downloadEnabled"],
    value: { kind: "boolean" },
    variable: "CUENV_REMOTE_CACHE_DOWNLOAD",
  },
};

export const settingFields: readonly (keyof CacheSettings)[] = Object.keys(
  settingTable,
) as (keyof CacheSettings)[];

/** Fields of earlier designs that nothing came of: known, without effect. */
export const obsoleteSettings: readonly string[] = [
  "inlineThreshold",
  "inline_threshold",
  "storage",
];

/** Variables beside those that set a setting; cuenv's own commands read the first three, the last has no effect. */
export const otherCacheVariables: readonly string[] = [
  "CUENV_CACHE_DEBUG",
  "CUENV_CACHE_STATS",
  "CUENV_CACHE_PROFILE",
  "CUENV_CACHE_INLINE_THRESHOLD",
];

/** How a file spells a setting: `maxSize` for `maxSizeBytes`, `remoteCache.endpoint` for `remoteEndpoint`. */
export function settingName(field: keyof CacheSettings): string {
  return settingTable[field].path.join(".");
}

/** `maxSize` and `max_size`; one name where they are the same. */
export function bothSpellings(name: string): readonly string[] {
  const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return snake === name ? [name] : [name, snake];
}

/** The names that the last segment of a setting may be written with: ours, in snake_case, and older ones. */
export function spellingsOf({ path, older = [] }: Setting): readonly string[] {
  return [...bothSpellings(path.at(-1) ?? ""), ...older];
}
