import { nearName } from "@cuenv/errors";
import { parseByteSize } from "./byte-size.ts";
import { cacheModeHint, findCacheMode } from "./cache-mode.ts";
import type { CacheMode, CacheSettingsInput, EvictionPolicy } from "./cache-settings.ts";
import { infiniteAgeMs, parseDuration } from "./duration.ts";
import { kindOf, quoted } from "./evaluated-package.ts";
import { named, type Struct } from "./struct.ts";

const mebibyte = 2 ** 20;
export const minimumCacheBytes: number = mebibyte;
export const maximumCacheBytes: number = mebibyte * mebibyte;
const maximumRetentionDays = 3650;

const evictionPolicies: readonly EvictionPolicy[] = ["LRU", "LFU", "FIFO", "SizeBased"];

/** Each setting: how it may be spelled (ours first), and how it is read. */
const settings: {
  readonly [Field in keyof CacheSettingsInput]-?: {
    readonly spellings: readonly string[];
    readonly read: (struct: Struct, field: string) => CacheSettingsInput[Field] | undefined;
  };
} = {
  enabled: { spellings: ["enabled"], read: (struct, field) => struct.boolean(field) },
  defaultMode: { spellings: ["defaultMode", "default_mode", "mode"], read: readCacheMode },
  cacheDir: { spellings: ["cacheDir", "cache_dir", "baseDir", "base_dir"], read: readPath },
  maxSizeBytes: { spellings: ["maxSize", "max_size"], read: readCacheSize },
  maxAgeMs: { spellings: ["maxAge", "max_age"], read: readMaxAge },
  evictionPolicy: { spellings: ["evictionPolicy", "eviction_policy"], read: readEvictionPolicy },
  envInclude: { spellings: ["envInclude", "env_include"], read: readVariableGlobs },
  envExclude: { spellings: ["envExclude", "env_exclude"], read: readVariableGlobs },
  envMode: {
    spellings: ["envMode", "env_mode"],
    read: (struct, field) => readChoice(struct, field, ["strict", "loose"]),
  },
  runtime: { spellings: ["runtime"], read: readCommands },
  keyEpoch: {
    spellings: ["keyEpoch", "key_epoch"],
    read: (struct, field) => struct.integer(field, { minimum: 0, maximum: 2 ** 31 - 1 }),
  },
  digestFunction: {
    spellings: ["digestFunction", "digest_function"],
    read: (struct, field) => readChoice(struct, field, ["sha256", "blake3"]),
  },
  durability: {
    spellings: ["durability"],
    read: (struct, field) => readChoice(struct, field, ["relaxed", "batch", "full"]),
  },
  statsRetentionDays: {
    spellings: ["statsRetentionDays", "stats_retention_days"],
    read: (struct, field) => struct.integer(field, { minimum: 1, maximum: maximumRetentionDays }),
  },
  namespace: { spellings: ["namespace"], read: readNamespace },
};

/** Settings of earlier or later cuenvs that this one knows of and does not use: a warning, not an error. */
const unused = {
  inlineThreshold: ["inlineThreshold", "inline_threshold"],
  remoteCache: ["remoteCache", "remote_cache", "remote"],
} as const;

const known: readonly string[] = Object.values(settings).flatMap(({ spellings }) => spellings);
const accepted: ReadonlySet<string> = new Set([
  ...known,
  ...Object.values(unused).flat(),
  "$schema",
]);

/** The settings that a struct sets; what is wrong with it goes to its `problems`. */
export function readCacheSettings(struct: Struct): CacheSettingsInput {
  const result: Record<string, unknown> = {};
  for (const [field, { spellings, read }] of Object.entries(settings)) {
    const spelling = struct.spelling(...spellings);
    if (!struct.has(spelling)) continue;
    const value = read(struct, spelling);
    if (value !== undefined) result[field] = value;
  }
  for (const [name, spellings] of Object.entries(unused)) {
    const spelling = spellings.find((candidate) => struct.has(candidate));
    if (spelling === undefined) continue;
    const message = `\`${spelling}\` in ${struct.what} has no effect in this version`;
    struct.problems.warn(`unused ${name}`, struct.at(spelling), message, "cache");
  }
  refuseUnknownSettings(struct);
  return result;
}

/** How a file spells a setting: `maxSize` for `maxSizeBytes`. */
export function spellingInFiles(field: keyof CacheSettingsInput): string {
  return settings[field].spellings[0] ?? field;
}

function refuseUnknownSettings(struct: Struct): void {
  for (const field of Object.keys(struct.data)) {
    if (accepted.has(field) || field.startsWith("_") || !struct.has(field)) continue;
    const near = nearName(field, known);
    struct.problems.add(
      "CONFIG_UNKNOWN_FIELD",
      struct.at(field),
      `cannot read ${struct.what}: ${named(field)} is not a setting`,
      near === undefined
        ? `the settings are ${Object.values(settings)
            .map(({ spellings }) => spellings[0])
            .join(", ")}`
        : `did you mean \`${near}\`?`,
    );
  }
}

export function readCacheMode(struct: Struct, field: string): CacheMode | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  const mode = findCacheMode(text);
  if (mode === undefined) {
    const reason = `${named(field)} is ${quoted(text)}, which is not a cache mode`;
    const message = `cannot read ${struct.what}: ${reason}`;
    struct.problems.add("CONFIG_CACHE_MODE", struct.at(field), message, cacheModeHint);
  }
  return mode;
}

/** An age with a unit, or "infinite". */
export function readMaxAge(struct: Struct, field: string): number | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  if (text.trim().toLowerCase() === "infinite") return infiniteAgeMs;
  const age = parseDuration(text);
  if (age !== undefined) return age;
  return struct.wrongValue(
    field,
    `is ${quoted(text)}, which is not an age`,
    "write 12h, 7d or infinite",
  );
}

function readCacheSize(struct: Struct, field: string): number | undefined {
  const value = struct.raw(field);
  if (typeof value !== "string" && typeof value !== "number")
    return struct.wrongType(field, 'a size such as "10GiB", or a number of bytes');
  const bytes = typeof value === "string" ? parseByteSize(value) : value;
  const hint = "write a size such as 500MB, 2GiB or 1TiB; from 1MiB to 1TiB";
  if (bytes === undefined || !Number.isSafeInteger(bytes))
    return struct.wrongValue(field, `is ${kindOf(value)}, which is not a size`, hint);
  if (bytes < minimumCacheBytes || bytes > maximumCacheBytes)
    return struct.wrongValue(field, `must be from 1MiB to 1TiB, not ${kindOf(value)}`, hint);
  return bytes;
}

function readEvictionPolicy(struct: Struct, field: string): EvictionPolicy | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  const wanted = text.replaceAll(/[\s_-]/g, "").toLowerCase();
  const policy = evictionPolicies.find((candidate) => candidate.toLowerCase() === wanted);
  if (policy !== undefined) return policy;
  return struct.wrongValue(
    field,
    `is ${quoted(text)}, which is not an eviction policy`,
    `the policies are ${evictionPolicies.join(", ")}`,
  );
}

/** One of a few words, in any letter case. */
export function readChoice<Choice extends string>(
  struct: Struct,
  field: string,
  choices: readonly Choice[],
): Choice | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  const wanted = text.trim().toLowerCase();
  const choice = choices.find((candidate) => candidate === wanted);
  if (choice !== undefined) return choice;
  return struct.wrongValue(field, `must be one of ${choices.join(", ")}, not ${quoted(text)}`);
}

/** Names of variables with `*` and `?`; everything else is literal. */
export function readVariableGlobs(struct: Struct, field: string): readonly string[] | undefined {
  const globs = struct.strings(field);
  const bad = globs?.find((glob) => glob === "" || /[=\0\s]/.test(glob));
  if (bad === undefined) return globs;
  return struct.wrongValue(field, `has ${quoted(bad)}, which no variable's name can match`);
}

export function readCommands(struct: Struct, field: string): readonly string[] | undefined {
  const commands = struct.strings(field);
  if (commands?.some((command) => command.trim() === "") !== true) return commands;
  return struct.wrongValue(field, "has an empty command", "write a command such as node --version");
}

function readPath(struct: Struct, field: string): string | undefined {
  const path = struct.string(field);
  if (path === undefined) return undefined;
  if (path.trim() !== "" && !path.includes("\0")) return path;
  return struct.wrongValue(field, "is not a path");
}

/** It is a folder's name in the store: one path segment that every file system takes. */
function readNamespace(struct: Struct, field: string): string | undefined {
  const name = struct.string(field);
  if (name === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name)) return name;
  const hint = "letters, digits, dot, underscore and hyphen, at most 128, a letter or digit first";
  struct.problems.add(
    "CONFIG_NAME",
    struct.at(field),
    `cannot read ${struct.what}: ${quoted(name)} is not a name for a namespace`,
    hint,
  );
  return undefined;
}
