import type { Command } from "./command.ts";
import { directory, json, packageName } from "./common-flags.ts";

const environment = {
  type: "string",
  short: "e",
  value: "NAME",
  summary: "Use the overrides of this environment (also CUENV_ENV)",
} as const;

/** The commands that read and write configuration, and no cache. */
export const configurationCommands: readonly Command[] = [
  {
    name: "cache config",
    aliases: [],
    summary: "Each effective setting of the cache, and where it comes from",
    usage: "cuenv cache config [TASK] [flags]",
    takesNames: true,
    flags: {
      cache: {
        type: "string",
        value: "MODE",
        summary: "As a run with this flag would have it",
      },
      directory,
      env: environment,
      json,
      package: packageName,
      schema: {
        type: "string",
        value: "WHOSE",
        summary: "Print the JSON Schema of such files: project or user",
      },
      "show-resolution": {
        type: "boolean",
        summary: "Every source of each setting, the one that holds first",
      },
    },
    about: [
      "Stronger sources first: flags, variables, the task, the project (config.cache",
      "in CUE, then cuenv.cache.json or .yaml), the user's config.json or .yaml, the",
      "default. Each setting is looked up by itself. Tokens are masked.",
    ],
    examples: [
      ["cuenv cache config", "what holds here"],
      ["cuenv cache config --show-resolution", "with what was overridden"],
      ["cuenv cache config build", "for one task"],
      ["cuenv cache config --schema project", "the JSON Schema, for editors"],
    ],
    load: async () => (await import("../commands/cache-config.ts")).runCacheConfig,
  },
  {
    name: "cache validate",
    aliases: [],
    summary: "Check env.cue, the settings files and the variables, all of it at once",
    usage: "cuenv cache validate [flags]",
    takesNames: false,
    flags: { directory, env: environment, json, package: packageName },
    about: [
      "Exits with 3 when something is wrong. Deprecated forms are warnings: cuenv",
      "cache migrate rewrites them.",
    ],
    examples: [
      ["cuenv cache validate", "before a commit, and in CI"],
      ["cuenv cache validate --json", "file, line, field, message, suggestion"],
    ],
    load: async () => (await import("../commands/cache-validate.ts")).runCacheValidate,
  },
  {
    name: "cache init",
    aliases: [],
    summary: "Write a settings file with every setting in it, as comments",
    usage: "cuenv cache init [--format yaml|json|cue] [--user] [flags]",
    takesNames: false,
    flags: {
      "config-file": {
        type: "string",
        value: "FILE",
        summary: "Write this file instead; .yaml, .yml, .json or .cue",
      },
      directory,
      "dry-run": { type: "boolean", summary: "Print the file and write nothing" },
      format: { type: "string", value: "FORMAT", summary: "yaml (default), json or cue" },
      json,
      package: packageName,
      user: { type: "boolean", summary: "The user's settings, not the project's" },
    },
    about: [
      "Writes cuenv.cache.yaml in the project's folder, or config.yaml in",
      "~/.config/cuenv. With cue it is cache.cue, of the same package as env.cue. A",
      "file that is there is never overwritten, and none is written beside one that",
      "would contradict it.",
    ],
    examples: [
      ["cuenv cache init", "cuenv.cache.yaml, to be edited"],
      ["cuenv cache init --user", "the same for all projects of yours"],
    ],
    load: async () => (await import("../commands/cache-init.ts")).runCacheInit,
  },
  {
    name: "cache migrate",
    aliases: [],
    summary: "Rewrite deprecated forms in env.cue and the settings files",
    usage: "cuenv cache migrate [--dry-run | --yes] [flags]",
    takesNames: false,
    flags: {
      directory,
      "dry-run": { type: "boolean", summary: "Show the changes and write nothing" },
      env: environment,
      json,
      package: packageName,
      yes: { type: "boolean", short: "y", summary: "Write without asking" },
    },
    about: [
      "Shows the changes as a diff, and writes them when you say so. Comments and",
      "formatting stay. What the tasks mean stays the same: the new files are",
      "evaluated and compared before anything is written. Without a terminal to ask",
      "on, nothing is written unless --yes is given.",
    ],
    examples: [
      ["cuenv cache migrate --dry-run", "what would change"],
      ["cuenv cache migrate --yes", "change it"],
    ],
    load: async () => (await import("../commands/cache-migrate.ts")).runCacheMigrate,
  },
];
