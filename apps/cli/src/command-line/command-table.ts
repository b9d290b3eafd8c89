import type { Command } from "./command.ts";
import { keyCommands } from "./key-commands.ts";
import { trustCommands } from "./trust-commands.ts";

const directory = {
  type: "string",
  short: "C",
  value: "DIR",
  summary: "Run as if started in DIR",
} as const;
const json = { type: "boolean", summary: "Print one JSON document on stdout" } as const;
const packageName = {
  type: "string",
  value: "NAME",
  summary: "The CUE package to evaluate (also CUENV_PACKAGE)",
} as const;
const environment = {
  type: "string",
  short: "e",
  value: "NAME",
  summary: "Use the overrides of this environment (also CUENV_ENV)",
} as const;

/** Every command: what help, parsing and completion are made from. */
export const commands: readonly Command[] = [
  {
    name: "task",
    aliases: ["run", "t"],
    summary: "Run tasks of env.cue through the cache; without a name, list them",
    usage: "cuenv task [NAME…] [flags] [-- ARGS…]",
    takesNames: true,
    flags: {
      cache: {
        type: "string",
        value: "MODE",
        summary: "off, read, read-write or write (also CUENV_CACHE)",
      },
      "continue-on-error": {
        type: "boolean",
        summary: "Go on with tasks that do not depend on a failed one",
      },
      directory,
      "dry-run": {
        type: "boolean",
        summary: "Run nothing: say what would run, what would be a hit, and why",
      },
      env: environment,
      force: { type: "boolean", short: "f", summary: "Run the tasks even if a result is stored" },
      jobs: {
        type: "string",
        short: "j",
        value: "N",
        summary: "How many tasks run at once (processors + 1)",
      },
      json,
      output: {
        type: "string",
        value: "MODE",
        summary: "raw, prefixed or grouped; default by what runs and where",
      },
      package: packageName,
      "strict-signatures": {
        type: "boolean",
        summary: "Exit with 70 when a stored result was not trusted",
      },
      summary: {
        type: "string",
        value: "FILE",
        summary: "Write what --json prints to FILE, and leave stdout to the tasks",
      },
      verbose: { type: "boolean", short: "v", summary: "Say more: keys, why a task is not cached" },
    },
    examples: [
      ["cuenv task", "list the tasks"],
      ["cuenv task build", "run build and what it depends on"],
      ["cuenv task build --dry-run", "what a run would do now"],
      ["cuenv task 'test:*' --jobs 4", "run all tasks whose name begins with test:"],
      ["cuenv task test -- --watch=false", "give arguments to the task"],
    ],
    load: async () => (await import("../commands/task.ts")).runTaskCommand,
  },
  {
    name: "exec",
    aliases: ["x"],
    summary: "Run a command with the environment of env.cue",
    usage: "cuenv exec [flags] -- COMMAND [ARGS…]",
    takesNames: true,
    flags: { directory, env: environment, package: packageName },
    examples: [
      ["cuenv exec -e production -- node server.js", "run with the variables of production"],
    ],
    load: async () => (await import("../commands/exec.ts")).runExecCommand,
  },
  {
    name: "why",
    aliases: [],
    summary: "Say why a task would be a miss now, or where its hit comes from",
    usage: "cuenv why TASK [flags] [-- ARGS…]",
    takesNames: true,
    flags: { directory, env: environment, json, package: packageName },
    about: [
      "The key that a run would have now is compared with that of the last result of the task in this",
      "workspace: files, variables, command, outputs of dependencies, tools, platform, configuration.",
      "The first line is the cause that tells most. Of a hit: when, where and by whom it was made, and",
      "what had changed then.",
    ],
    examples: [
      ["cuenv why build", "what changed since the last result of build"],
      ["cuenv why build --json", "the same, for scripts"],
    ],
    load: async () => (await import("../commands/why.ts")).runWhy,
  },
  {
    name: "cache key",
    aliases: [],
    summary: "The key of a task, and everything that it is made of",
    usage: "cuenv cache key TASK [flags] [-- ARGS…]",
    takesNames: true,
    flags: { directory, env: environment, json, package: packageName },
    examples: [
      ["cuenv cache key build --json", "every input file, variable and tool, with its digest"],
    ],
    load: async () => (await import("../commands/cache-key.ts")).runCacheKey,
  },
  {
    name: "cache show",
    aliases: [],
    summary: "A stored result: what its key was made of, its outputs, who made it",
    usage: "cuenv cache show KEY [flags]",
    takesNames: true,
    flags: { directory, json, package: packageName },
    examples: [["cuenv cache show 4f0c1d2e", "the first digits of a key will do, 8 or more"]],
    load: async () => (await import("../commands/cache-show.ts")).runCacheShow,
  },
  {
    name: "cache diff",
    aliases: [],
    summary: "What the keys of two stored results differ in",
    usage: "cuenv cache diff KEY KEY [flags]",
    takesNames: true,
    flags: { directory, json, package: packageName },
    examples: [["cuenv cache diff 4f0c1d2e 9a8b7c6d", "what changed from the first to the second"]],
    load: async () => (await import("../commands/cache-diff.ts")).runCacheDiff,
  },
  {
    name: "cache clear",
    aliases: [],
    summary: "Remove every stored result",
    usage: "cuenv cache clear [flags]",
    takesNames: false,
    flags: { directory, json, package: packageName },
    about: [
      "Results, their files, and what cuenv remembers of workspaces (file digests, evaluated",
      "configuration, what tools printed) go. Statistics, the salt of secrets and cuenv's own",
      "compiled code stay; so does every file that is not the cache's. Runs that are going on have",
      "misses, nothing worse. To be rid of everything, delete the folder: that is safe, too.",
    ],
    examples: [["cuenv cache clear", "the next run starts cold"]],
    load: async () => (await import("../commands/cache-clear.ts")).runCacheClear,
  },
  {
    name: "cache cleanup",
    aliases: [],
    summary: "Remove what is older or more than configured, as runs do at their end",
    usage: "cuenv cache cleanup [flags]",
    takesNames: false,
    flags: { directory, json, package: packageName },
    examples: [["cuenv cache cleanup", "apply maxAge and maxSize now"]],
    load: async () => (await import("../commands/cache-prune.ts")).runCacheCleanup,
  },
  {
    name: "cache prune",
    aliases: [],
    summary: "Remove the least useful results until the rest is within limits of your own",
    usage: "cuenv cache prune [--max-size SIZE] [--max-age AGE] [flags]",
    takesNames: false,
    flags: {
      directory,
      json,
      "max-age": { type: "string", value: "AGE", summary: "Nothing unused for longer, like 7d" },
      "max-size": { type: "string", value: "SIZE", summary: "No more than this, like 5GiB" },
      package: packageName,
    },
    about: [
      "A limit that is not given is the configured one. What goes first is what evictionPolicy says",
      "(lru, lfu, fifo, sizeBased). Safe beside running builds; Ctrl-C ends it between two files.",
    ],
    examples: [
      ["cuenv cache prune --max-size 5GiB", "keep the 5 GiB that were used last"],
      ["cuenv cache prune --max-age 7d", "remove what was not used for a week"],
    ],
    load: async () => (await import("../commands/cache-prune.ts")).runCachePrune,
  },
  {
    name: "cache stats",
    aliases: [],
    summary: "Hits, misses, time saved and disk use",
    usage: "cuenv cache stats [flags]",
    takesNames: false,
    flags: { directory, json, package: packageName },
    examples: [["cuenv cache stats --json", "for scripts"]],
    load: async () => (await import("../commands/cache-stats.ts")).runCacheStats,
  },
  {
    name: "cache verify",
    aliases: [],
    summary: "Re-hash everything that is stored",
    usage: "cuenv cache verify [--repair] [flags]",
    takesNames: false,
    flags: {
      directory,
      json,
      package: packageName,
      repair: { type: "boolean", summary: "Remove what is damaged" },
      signatures: { type: "boolean", summary: "Ask whose results they are, too" },
    },
    examples: [["cuenv cache verify --repair", "mend a cache folder after a disk fault"]],
    load: async () => (await import("../commands/cache-verify.ts")).runCacheVerify,
  },
  ...trustCommands,
  ...keyCommands,
];
