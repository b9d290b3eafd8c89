import { byteSizeHint, parseByteSize } from "./byte-size.ts";
import { cacheModeHint, findCacheMode } from "./cache-mode.ts";
import type { CacheMode } from "./cache-settings.ts";
import { infiniteAgeMs, parseDuration } from "./duration.ts";
import { kindOf, quoted } from "./evaluated-package.ts";
import { maximumCacheBytes, minimumCacheBytes, type SettingKind } from "./setting-table.ts";
import { named, type Struct } from "./struct.ts";
import { authTokenPattern, endpointPattern, namespacePattern } from "./value-patterns.ts";

/** The value of a setting, or undefined: then `struct.problems` knows why. */
export function readSettingValue(struct: Struct, field: string, value: SettingKind): unknown {
  switch (value.kind) {
    case "boolean":
      return struct.boolean(field);
    case "integer":
      return struct.integer(field, value);
    case "mode":
      return readCacheMode(struct, field);
    case "path":
      return readPath(struct, field);
    case "size":
      return readCacheSize(struct, field);
    case "age":
      return readMaxAge(struct, field);
    case "globs":
      return readVariableGlobs(struct, field);
    case "commands":
      return readCommands(struct, field);
    case "namespace":
      return readNamespace(struct, field);
    case "endpoint":
      return readEndpoint(struct, field);
    case "token":
      return readAuthToken(struct, field);
    case "policy":
      return readEvictionPolicy(struct, field, value.choices);
    case "choice":
      return readChoice(struct, field, value.choices);
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
  if (value === undefined) return undefined;
  if (typeof value !== "string" && typeof value !== "number")
    return struct.wrongType(field, 'a size such as "10GiB", or a number of bytes');
  const bytes = typeof value === "string" ? parseByteSize(value) : value;
  const hint = `${byteSizeHint(String(value))}; from 1MiB to 1TiB`;
  if (bytes === undefined || !Number.isSafeInteger(bytes))
    return struct.wrongValue(field, `is ${kindOf(value)}, which is not a size`, hint);
  if (bytes < minimumCacheBytes || bytes > maximumCacheBytes)
    return struct.wrongValue(field, `must be from 1MiB to 1TiB, not ${kindOf(value)}`, hint);
  return bytes;
}

function readEvictionPolicy(
  struct: Struct,
  field: string,
  policies: readonly string[],
): string | undefined {
  const text = struct.string(field);
  if (text === undefined) return undefined;
  const wanted = text.replaceAll(/[\s_-]/g, "").toLowerCase();
  const policy = policies.find((candidate) => candidate.toLowerCase() === wanted);
  if (policy !== undefined) return policy;
  return struct.wrongValue(
    field,
    `is ${quoted(text)}, which is not an eviction policy`,
    `the policies are ${policies.join(", ")}`,
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
  return struct.wrongValue(
    field,
    `must be one of ${choices.join(", ")}, not ${quoted(text)}`,
    `write ${choices.join(" or ")}`,
  );
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
  return struct.wrongValue(field, "is not a path", "write the path of a folder");
}

/** It is a folder's name in the store: one path segment that every file system takes. */
function readNamespace(struct: Struct, field: string): string | undefined {
  const name = struct.string(field);
  if (name === undefined || namespacePattern.test(name)) return name;
  const hint = "letters, digits, dot, underscore and hyphen, at most 128, a letter or digit first";
  struct.problems.add(
    "CONFIG_NAME",
    struct.at(field),
    `cannot read ${struct.what}: ${quoted(name)} is not a name for a namespace`,
    hint,
  );
  return undefined;
}

const endpointHint = "write grpc://cache.example.com:9092, or grpcs:// for TLS";

/** What is wrong is quoted no further than its scheme: people write passwords into addresses. */
function readEndpoint(struct: Struct, field: string): string | undefined {
  const text = struct.string(field);
  if (text === undefined || endpointPattern.test(text)) return text;
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme === undefined || !/^grpcs?:/.test(scheme)) {
    const found = scheme === undefined ? "which is missing" : `not ${quoted(scheme)}`;
    const reason = `must begin with grpc:// or grpcs://, ${found}`;
    return struct.wrongValue(field, reason, endpointHint);
  }
  if (text.includes("@")) {
    const hint = "put the token into authToken, best as ${VARIABLE}";
    return struct.wrongValue(field, "has a user or a password in it", hint);
  }
  const reason = "must have a host and at most a port of 1 to 65535 after the scheme";
  return struct.wrongValue(field, reason, endpointHint);
}

/** Never quoted, not even when it is wrong. */
function readAuthToken(struct: Struct, field: string): string | undefined {
  const value = struct.raw(field);
  if (value === undefined) return undefined;
  if (typeof value !== "string") {
    const message = `cannot read ${struct.what}: ${named(field)} must be a string`;
    struct.problems.add("CONFIG_TYPE", struct.at(field), message);
    return undefined;
  }
  if (authTokenPattern.test(value)) return value;
  const reason = "has characters that no token has, or a ${ that names no variable";
  return struct.wrongValue(field, reason, 'write "${VARIABLE}", or the token itself');
}
