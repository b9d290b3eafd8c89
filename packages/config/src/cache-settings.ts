/** Whether entries are read and written: off = neither; write = always execute, and store. */
export type CacheMode = "off" | "read" | "read-write" | "write";

export type EvictionPolicy = "LRU" | "LFU" | "FIFO" | "SizeBased";

/** "strict": a cached task sees the declared variables and a fixed pass-through list. "loose": it sees everything. */
export type EnvironmentMode = "strict" | "loose";

/** The global settings, resolved: every field has a value. */
export interface CacheSettings {
  readonly enabled: boolean;
  readonly defaultMode: CacheMode;
  /** Absolute path of the cache folder. */
  readonly cacheDir: string;
  readonly maxSizeBytes: number;
  /** Entries that were not used for so long are evicted; undefined: no limit. */
  readonly maxAgeMs: number | undefined;
  readonly evictionPolicy: EvictionPolicy;
  /** Globs of variables (`*`, `?`) that are in every key and visible to every cached task. */
  readonly envInclude: readonly string[];
  /** Wins over `envInclude`. */
  readonly envExclude: readonly string[];
  readonly envMode: EnvironmentMode;
  /** Commands whose output is in every key, `node --version`. */
  readonly runtime: readonly string[];
  /** Raise it to make every earlier entry a miss. */
  readonly keyEpoch: number;
  /** The digest function of keys and blobs. */
  readonly digestFunction: "sha256" | "blake3";
  readonly durability: "relaxed" | "batch" | "full";
  readonly statsRetentionDays: number;
  /** Sets apart configurations that must not share entries; part of the key. */
  readonly namespace: string;
  /** `grpc://host:port` or `grpcs://host:port`; undefined: no remote cache. Never a workspace's to say. */
  readonly remoteEndpoint: string | undefined;
  /** As written, `${VAR}` not yet filled in (`remoteAuthToken`), so that settings can be shown without a secret. Never a workspace's to say. */
  readonly remoteAuthToken: string | undefined;
  /** Files in PEM, absolute: who signs the remote cache's certificate (undefined: those that Node knows) … Never a workspace's to say. */
  readonly remoteCaCertificate: string | undefined;
  /** … and what is shown to one that asks for a certificate, with its key. Never a workspace's to say. */
  readonly remoteClientCertificate: string | undefined;
  readonly remoteClientKey: string | undefined;
  /** How long one request may take, and a transfer stand still. */
  readonly remoteTimeoutSeconds: number;
  /** Requests to the remote cache at once. */
  readonly remoteMaxConcurrent: number;
  readonly remoteUploadEnabled: boolean;
  readonly remoteDownloadEnabled: boolean;
}

/**
 * The same fields as somebody wrote them: only those that were set. Paths are still as written (`~/x`, relative
 * to what wrote them), and a `maxAgeMs` of `Number.MAX_SAFE_INTEGER` says "infinite", which JSON can hold.
 */
export type CacheSettingsInput = { readonly [Field in keyof CacheSettings]?: CacheSettings[Field] };

/** The cache settings of one task, resolved. */
export interface TaskCacheSettings {
  /** False when the task says so, or when it declares neither inputs nor outputs and does not say `cache: true`. */
  readonly enabled: boolean;
  /** Why it is not enabled, for `-v`. */
  readonly disabledReason: "task" | "undeclared" | undefined;
  /** The task's own mode; it narrows the run's mode, never widens it. */
  readonly mode: CacheMode | undefined;
  /** Older entries are misses; undefined: no limit. */
  readonly maxAgeMs: number | undefined;
  /** Replaces the input files in the key, and nothing else. */
  readonly cacheKey: string | undefined;
  /** Undefined: the global list holds. */
  readonly envInclude: readonly string[] | undefined;
  readonly envExclude: readonly string[] | undefined;
  readonly envMode: EnvironmentMode | undefined;
  readonly extraInputs: readonly string[];
  readonly ignoreInputs: readonly string[];
  readonly customKeyComponents: Readonly<Record<string, string>>;
  /** In addition to the global ones. */
  readonly runtime: readonly string[];
  readonly keyEpoch: number | undefined;
}
