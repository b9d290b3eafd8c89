import { Ajv2020 } from "ajv/dist/2020.js";
import * as fc from "fast-check";
import { readFileSync } from "node:fs";
import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import { parseCacheSettings } from "./parse-cache-settings.ts";
import { readTrustSettings } from "./read-trust-settings.ts";
import { obsoleteSettings, settingFields, settingTable, spellingsOf } from "./setting-table.ts";
import { type JsonSchema, projectSettingsSchema, userSettingsSchema } from "./settings-schema.ts";

const ajv = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false });
const project = ajv.compile(projectSettingsSchema());
const user = ajv.compile((userSettingsSchema()["properties"] as JsonSchema)["cache"] as JsonSchema);

const whole = ajv.compile(userSettingsSchema());

/** What the reader says of it. */
function refused(data: unknown, from: "project" | "user"): readonly string[] {
  return messagesOf(() => parseCacheSettings(data, { what: "it", from }));
}

function messagesOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (error instanceof CuenvError) return [error, ...error.others].map(({ message }) => message);
    throw error;
  }
}

const spellings = settingFields.flatMap((field) =>
  spellingsOf(settingTable[field]).map((name) => [settingTable[field].path.length, name] as const),
);
const names = (depth: number): readonly string[] =>
  spellings.filter(([at]) => at === depth).map(([, name]) => name);

const words =
  `off read READ-WRITE write on never lru Size_Based size-based sizebased strict Loose sha256 BLAKE3 relaxed batch full
  10GiB 1.5 1.5GB 2mb 3ib 12 1048576B 512MiB 7d 12h30m 30m12h 5ms 5m5s infinite Infinite 7 1d1d ~/c /x . a.b-c -a é
  grpc://a grpcs://a.b:9092 http://a grpc://u@h grpc://h:0 grpc://h:70000 grpc://[::1]:1 grpc:// tok \${A} \${} \${A-B} $A
  A* A=B LC_? node`.split(/\s+/);
const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...words) },
  fc.constantFrom("", " ", "a b", " read ", "node --version", "a\0b", "10 GiB", "\n7d\n"),
  fc.constantFrom(
    true,
    false,
    null,
    0,
    1,
    10,
    100,
    101,
    300,
    301,
    3650,
    3651,
    1.5,
    -1,
    2 ** 31,
    2 ** 20,
    2 ** 41,
  ),
  fc.array(fc.constantFrom("A*", "A=B", "", "node --version", "x", 3, null), { maxLength: 3 }),
  fc.constantFrom({}, { a: 1 }),
);
/** Values that a field takes, so that not every sample is wrong. */
const fitting: Readonly<Record<string, fc.Arbitrary<unknown>>> = Object.fromEntries(
  settingFields.flatMap((field) => {
    const { value: kind } = settingTable[field];
    const right = {
      boolean: fc.boolean(),
      integer: fc.integer({ min: "minimum" in kind ? kind.minimum : 0, max: 300 }),
      mode: fc.constantFrom("off", "Read"),
      path: fc.constantFrom("~/x", "."),
      size: fc.constantFrom("10GiB", 2 ** 20, "1.5 TB"),
      age: fc.constantFrom("7d", "1h 30m", "INFINITE"),
      globs: fc.constantFrom([], ["A*", "?"]),
      commands: fc.constantFrom(["node --version"]),
      namespace: fc.constantFrom("a", "B.c-1"),
      endpoint: fc.constantFrom("grpc://a:1", "grpcs://b"),
      token: fc.constantFrom("t0ken", "${A}x$"),
      policy: fc.constantFrom("lru", "SIZE BASED"),
      choice: fc.constantFrom(...("choices" in kind ? kind.choices : [""])),
    }[kind.kind];
    return spellingsOf(settingTable[field]).map((name) => [name, right as fc.Arbitrary<unknown>]);
  }),
);

function struct(all: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const field = fc
    .constantFrom(...all)
    .chain((name) =>
      fc.tuple(
        fc.constant(name),
        fc.oneof({ weight: 5, arbitrary: fitting[name] ?? value }, { weight: 2, arbitrary: value }),
      ),
    );
  return fc.array(field, { maxLength: 3 }).map((fields) => Object.fromEntries(fields));
}

const remote = struct([...names(2), "other", "_x"]);
const sample = fc
  .tuple(
    struct([...names(1), ...obsoleteSettings, "$schema", "other", "_x", "maxsize", "trust"]),
    fc.oneof(
      { weight: 3, arbitrary: fc.constant({}) },
      fc
        .constantFrom("remoteCache", "remote_cache", "remote")
        .chain((name) =>
          fc.oneof({ weight: 4, arbitrary: remote }, value).map((data) => ({ [name]: data })),
        ),
    ),
  )
  .map(([top, more]) => ({ ...top, ...more }));

/** What a pattern cannot say: how much the digits come to. */
const isOfAmount = (message: string): boolean =>
  /must be from 1MiB to 1TiB, not the string|is "\d+", which is not a size/.test(message);

describe("the JSON Schema of settings files", () => {
  it.each([
    ["project", project],
    ["user", user],
  ] as const)("accepts and refuses what the reader does, in a file of the %s", (from, validate) => {
    let accepted = 0;
    fc.assert(
      fc.property(sample, (data) => {
        const messages = refused(data, from);
        if (messages.length === 0) accepted += 1;
        if (messages.length > 0 && messages.every(isOfAmount)) return;
        expect([validate(data), messages]).toEqual([messages.length === 0, messages]);
      }),
      { numRuns: 3000 },
    );
    // Else the property would say nothing about right files.
    expect(accepted).toBeGreaterThan(300);
  });

  it("accepts and refuses what the reader does below `trust`", () => {
    const fields = {
      mode: fc.constantFrom("off", "Required", "ci-only", "on", 3, null),
      file: fc.constantFrom("~/keys", "", " ", "a\0", true, null),
      locked: fc.constantFrom(true, false, "yes", null),
      other: fc.constantFrom(1, null),
      _x: fc.constant(1),
    };
    fc.assert(
      fc.property(fc.record(fields, { requiredKeys: [] }), (data) => {
        const messages = messagesOf(() => readTrustSettings(data, "it"));
        expect([whole({ trust: data }), messages]).toEqual([messages.length === 0, messages]);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ["cuenv.cache.schema.json", projectSettingsSchema()],
    ["config.schema.json", userSettingsSchema()],
  ])("is shipped as %s, made from the table of settings", (name, schema) => {
    const text = readFileSync(new URL(`../schema/${name}`, import.meta.url), "utf8");
    expect(JSON.parse(text), "node tools/settings-schema.mjs --write").toEqual(schema);
  });

  it("does not propose to a project what is the user's to say", () => {
    const { remoteCache } = projectSettingsSchema()["properties"] as Record<string, JsonSchema>;
    expect(Object.keys(remoteCache?.["properties"] as object)).toEqual([
      "timeoutSeconds",
      "maxConcurrent",
      "uploadEnabled",
      "downloadEnabled",
    ]);
  });

  it("has a description and an example that it accepts itself for every setting", () => {
    const { properties } =
      (userSettingsSchema()["properties"] as Record<string, JsonSchema>)["cache"] ?? {};
    const { remoteCache, ...rest } = properties as Record<string, JsonSchema>;
    const all = { ...rest, ...(remoteCache?.["properties"] as Record<string, JsonSchema>) };
    expect(Object.keys(all)).toHaveLength(settingFields.length);
    for (const [name, schema] of Object.entries(all)) {
      expect(schema["description"], name).toMatch(/\w/);
      expect(ajv.validate(schema, (schema["examples"] as unknown[])[0]), name).toBe(true);
    }
  });
});
