import type { CacheSettings } from "./cache-settings.ts";

/** One line on each setting, for the commented file, the JSON Schema and people. `example`: what a file might say, as YAML and CUE take it. */
export const settingDescriptions: {
  readonly [Field in keyof CacheSettings]: { readonly text: string; readonly example: string };
} = {
  enabled: {
    text: "false: nothing is read from the cache and nothing is written to it",
    example: "true",
  },
  defaultMode: {
    text: "what runs do with stored results: off, read, read-write or write",
    example: '"read-write"',
  },
  cacheDir: {
    text: "where the cache lies; ~ is the home folder, a relative path starts at this file's folder",
    example: '"~/.cache/cuenv"',
  },
  maxSizeBytes: {
    text: "how much the cache may hold, 1MiB to 1TiB; what is least useful goes first",
    example: '"10GiB"',
  },
  maxAgeMs: {
    text: "results that were not used for so long go, like 30d; infinite: no limit",
    example: '"30d"',
  },
  evictionPolicy: {
    text: "which results go first: LRU, LFU, FIFO or SizeBased",
    example: '"LRU"',
  },
  envInclude: {
    text: "variables (globs: * and ?) that are in every key and that every cached task sees",
    example: '["CI", "LC_*"]',
  },
  envExclude: {
    text: "variables (globs) that are in no key; wins over envInclude",
    example: '["*_TOKEN"]',
  },
  envMode: {
    text: "strict: a cached task sees declared variables and a fixed list; loose: it sees everything",
    example: '"strict"',
  },
  runtime: {
    text: "commands whose output is in every key: the versions of your tools",
    example: '["node --version"]',
  },
  keyEpoch: {
    text: "raise it to make every earlier result a miss",
    example: "0",
  },
  digestFunction: {
    text: "the hash of keys and contents: sha256 or blake3",
    example: '"sha256"',
  },
  durability: {
    text: "what is flushed to disk when a result is stored: relaxed, batch or full",
    example: '"relaxed"',
  },
  statsRetentionDays: {
    text: "for how many days statistics are kept, 1 to 3650",
    example: "30",
  },
  namespace: {
    text: "projects with different namespaces share nothing",
    example: '"default"',
  },
  remoteEndpoint: {
    text: "address of the remote cache: grpc://host:port, or grpcs:// for TLS",
    example: '"grpcs://cache.example.com:9092"',
  },
  remoteAuthToken: {
    text: "the token for it; ${NAME} is the value of a variable",
    example: '"${CUENV_TOKEN}"',
  },
  remoteCaCertificate: {
    text: "a file in PEM: who signed its certificate, where that is no public authority",
    example: '"~/.config/cuenv/cache-ca.pem"',
  },
  remoteClientCertificate: {
    text: "a file in PEM: the certificate to show it, where it asks for one",
    example: '"~/.config/cuenv/client.pem"',
  },
  remoteClientKey: {
    text: "a file in PEM: the key of that certificate",
    example: '"~/.config/cuenv/client.key"',
  },
  remoteTimeoutSeconds: {
    text: "how long a request may take, 1 to 300 seconds",
    example: "30",
  },
  remoteMaxConcurrent: {
    text: "how many requests there may be at once, 1 to 100",
    example: "10",
  },
  remoteUploadEnabled: {
    text: "false: nothing is sent to the remote cache",
    example: "true",
  },
  remoteDownloadEnabled: {
    text: "false: nothing is fetched from the remote cache",
    example: "true",
  },
};
