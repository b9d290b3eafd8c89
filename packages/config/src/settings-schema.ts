import { cacheModes } from "./cache-mode.ts";
import type { CacheSettings } from "./cache-settings.ts";
import { trustModes } from "./read-trust-settings.ts";
import { settingDescriptions } from "./setting-descriptions.ts";
import {
  bothSpellings,
  maximumCacheBytes,
  minimumCacheBytes,
  obsoleteSettings,
  remoteStruct,
  type SettingKind,
  settingFields,
  settingTable,
} from "./setting-table.ts";
import { authTokenPattern, endpointPattern, namespacePattern } from "./value-patterns.ts";

export type JsonSchema = { readonly [keyword: string]: unknown };

const dialect = "https://json-schema.org/draft/2020-12/schema";
/** A null is an absent field, in any file. */
const nothing: JsonSchema = { type: "null" };

/** The JSON Schema of `cuenv.cache.json` and `.yaml`. It knows less than `cuenv cache validate` in one thing: how large a size with a unit, or an age, may be. */
export function projectSettingsSchema(): JsonSchema {
  return {
    $schema: dialect,
    $id: "cuenv.cache.schema.json",
    title: "cuenv.cache.json and cuenv.cache.yaml: cache settings of a project",
    ...settingsStruct("project"),
  };
}

/** The JSON Schema of the user's `config.json` and `.yaml`. */
export function userSettingsSchema(): JsonSchema {
  return {
    $schema: dialect,
    $id: "config.schema.json",
    title: "config.json and config.yaml in ~/.config/cuenv: settings of a user",
    type: ["object", "null"],
    properties: {
      cache: { description: "settings of the cache", ...settingsStruct("user") },
      trust: {
        description: "whose results are used",
        type: ["object", "null"],
        properties: {
          mode: orNothing(oneOf(trustModes, "")),
          locked: orNothing({ type: "boolean" }),
          file: orNothing({ type: "string", pattern: "^(?=[\\s\\S]*\\S)[^\\u0000]+$" }),
        },
        patternProperties: { "^[_#]": {} },
        additionalProperties: nothing,
      },
    },
  };
}

function settingsStruct(from: "project" | "user"): JsonSchema {
  const obsolete = Object.fromEntries(
    obsoleteSettings.map((name) => [
      `^${name}$`,
      { deprecated: true, description: "has no effect" },
    ]),
  );
  const remote = {
    description: "a cache on another machine",
    ...structOf(2, from, {}),
  };
  const remoteNames = [...bothSpellings(remoteStruct), "remote"];
  const [first = remoteStruct, ...others] = remoteNames;
  const base = structOf(1, from, { ...obsolete, "^\\$schema$": {} });
  return {
    ...base,
    properties: { ...(base["properties"] as JsonSchema), [first]: remote },
    patternProperties: {
      ...(base["patternProperties"] as JsonSchema),
      ...Object.fromEntries(others.map((name) => [`^${name}$`, remote])),
    },
    allOf: [...(base["allOf"] as readonly JsonSchema[]), ...atMostOne(remoteNames)],
  };
}

function structOf(depth: number, from: "project" | "user", more: JsonSchema): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  const patternProperties: Record<string, unknown> = { ...more, "^_": {} };
  const exclusive: JsonSchema[] = [];
  for (const field of settingFields) {
    const { path, older = [], isUsersOnly, value } = settingTable[field];
    if (path.length !== depth) continue;
    const [name = "", ...others] = bothSpellings(path.at(-1) ?? "");
    // Refused by being no property: only null is left.
    if (isUsersOnly === true && from === "project") continue;
    const schema = {
      description: settingDescriptions[field].text,
      ...orNothing(valueSchema(value)),
    };
    properties[name] = { ...schema, ...defaultOf(field) };
    // By pattern, so that editors propose our spelling only.
    for (const spelling of others) patternProperties[`^${spelling}$`] = schema;
    for (const spelling of older)
      patternProperties[`^${spelling}$`] = { ...schema, deprecated: true };
    exclusive.push(...atMostOne([name, ...others, ...older]));
  }
  return {
    type: ["object", "null"],
    properties,
    patternProperties,
    additionalProperties: nothing,
    allOf: exclusive,
  };
}

function defaultOf(field: keyof CacheSettings): JsonSchema {
  const { example } = settingDescriptions[field];
  return { examples: [JSON.parse(example)] };
}

/** Two spellings of one field are a mistake. */
function atMostOne(names: readonly string[]): readonly JsonSchema[] {
  return names.flatMap((left, index) =>
    names.slice(index + 1).map((right) => ({
      not: {
        type: "object",
        required: [left, right],
        properties: { [left]: { not: nothing }, [right]: { not: nothing } },
      },
    })),
  );
}

function orNothing(schema: JsonSchema): JsonSchema {
  const { type, ...rest } = schema;
  if (typeof type === "string") return { type: [type, "null"], ...rest };
  return { anyOf: [...(schema["anyOf"] as readonly JsonSchema[]), nothing] };
}

function valueSchema(value: SettingKind): JsonSchema {
  switch (value.kind) {
    case "boolean":
      return { type: "boolean" };
    case "integer":
      return { type: "integer", minimum: value.minimum, maximum: value.maximum };
    case "mode":
      return oneOf(cacheModes, "");
    case "choice":
      return oneOf(value.choices, "");
    case "policy":
      return oneOf(value.choices, "[\\s_\\-]*");
    case "path":
      return { type: "string", pattern: "^(?=[\\s\\S]*\\S)[^\\u0000]+$" };
    case "size":
      return {
        anyOf: [
          { type: "integer", minimum: minimumCacheBytes, maximum: maximumCacheBytes },
          { type: "string", pattern: sizePattern },
        ],
      };
    case "age":
      return {
        anyOf: [{ type: "string", pattern: `^\\s*(?:${anyCase("infinite")}|${agePattern})\\s*$` }],
      };
    case "globs":
      return { type: "array", items: { type: "string", pattern: "^[^=\\u0000\\s]+$" } };
    case "commands":
      return { type: "array", items: { type: "string", pattern: "\\S" } };
    case "namespace":
      return { type: "string", pattern: namespacePattern.source };
    case "endpoint":
      return { type: "string", pattern: endpointPattern.source };
    case "token":
      return { type: "string", pattern: authTokenPattern.source };
  }
}

const sizePattern =
  "^\\s*(?:\\d{1,20}(?:\\.\\d{1,20})?\\s*[kKmMgGtT][iI]?[bB]|\\d{1,20}\\s*[bB]?)\\s*$";
const number = "\\d+(?:\\.\\d+)?\\s*";
/** From the largest unit to the smallest, each once. */
const agePattern = `(?=\\d)${["w", "d", "h", "m(?!s)", "s", "ms"]
  .map((unit) => `(?:${number}${unit}\\s*)?`)
  .join("")}`;

/** One of a few words, in any letter case; `between` may stand between its letters. */
function oneOf(words: readonly string[], between: string): JsonSchema {
  const pattern = words.map((word) => anyCase(word, between)).join("|");
  return {
    anyOf: [
      { type: "string", enum: words },
      { type: "string", pattern: `^${between}\\s*(?:${pattern})\\s*${between}$` },
    ],
  };
}

function anyCase(word: string, between = ""): string {
  return word
    .split("")
    .map((letter) =>
      /[a-z]/i.test(letter) ? `[${letter.toLowerCase()}${letter.toUpperCase()}]` : letter,
    )
    .join(between);
}
