import { describe, expect, it } from "vitest";
import { codesOf, problemsOf } from "../test/projects.ts";
import { parseCacheSettings } from "./parse-cache-settings.ts";

const place = { what: "cuenv.cache.json" };
const parse = (data: unknown): unknown => parseCacheSettings(data, place).settings;

describe("parseCacheSettings", () => {
  it("row 5: an empty configuration is a good one", () => {
    for (const data of [{}, null, undefined]) expect(parse(data)).toEqual({});
  });

  const all = {
    enabled: true,
    defaultMode: "READ",
    cacheDir: "~/c",
    maxSize: "2MiB",
    maxAge: "7d",
    evictionPolicy: "lfu",
    envInclude: ["A*"],
    envExclude: ["*_TOKEN"],
    envMode: "loose",
    runtime: ["node --version"],
    keyEpoch: 3,
    digestFunction: "blake3",
    durability: "full",
    statsRetentionDays: 7,
    namespace: "team-a",
  };
  const expected = {
    ...all,
    defaultMode: "read",
    evictionPolicy: "LFU",
    maxSizeBytes: 2_097_152,
    maxAgeMs: 604_800_000,
    maxSize: undefined,
    maxAge: undefined,
  };

  it("row 29: reads every field in camelCase", () => {
    expect(parse(all)).toEqual(expected);
  });

  it("row 29: reads every field in snake_case", () => {
    const snake = Object.fromEntries(
      Object.entries(all).map(([name, value]) => [
        name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        value,
      ]),
    );
    expect(snake).toHaveProperty("stats_retention_days");
    expect(parse(snake)).toEqual(expected);
  });

  it("refuses two spellings of one field", () => {
    expect(codesOf(() => parse({ maxSize: "1GiB", max_size: "2GiB" }))).toEqual(["CONFIG_VALUE"]);
  });

  it.each([
    ["lru", "LRU"],
    ["FIFO", "FIFO"],
    ["sizebased", "SizeBased"],
    ["size_based", "SizeBased"],
    ["Size-Based", "SizeBased"],
  ])("takes the eviction policy %s as %s", (text, policy) => {
    expect(parse({ evictionPolicy: text })).toEqual({ evictionPolicy: policy });
  });

  it("row 9: a size is from 1MiB to 1TiB", () => {
    expect(parse({ maxSize: "1MiB" })).toEqual({ maxSizeBytes: 1_048_576 });
    expect(parse({ maxSize: 1_048_576 })).toEqual({ maxSizeBytes: 1_048_576 });
    expect(parse({ maxSize: "1TiB" })).toEqual({ maxSizeBytes: 1_099_511_627_776 });
    for (const maxSize of ["1023KiB", "1025GiB", 1_048_575, "10", "big", -1, 2 ** 60, Number.NaN])
      expect(codesOf(() => parse({ maxSize }))).toEqual(["CONFIG_VALUE"]);
  });

  it("row 29: names the field, what was found and what to write instead", () => {
    const [first, ...others] = problemsOf(() =>
      parse({ maxSzie: "1GiB", evictionPolicy: "random", enabled: "yes", statsRetentionDays: 0 }),
    );
    const found = [first, ...others].map((problem) => [
      problem?.code,
      problem?.message,
      problem?.hint,
    ]);
    expect(found).toEqual([
      [
        "CONFIG_TYPE",
        'cannot read cuenv.cache.json: `enabled` must be true or false, not the string "yes"',
        undefined,
      ],
      [
        "CONFIG_VALUE",
        'cannot read cuenv.cache.json: `evictionPolicy` is "random", which is not an eviction policy',
        "the policies are LRU, LFU, FIFO, SizeBased",
      ],
      [
        "CONFIG_VALUE",
        "cannot read cuenv.cache.json: `statsRetentionDays` must be from 1 to 3650, not 0",
        undefined,
      ],
      [
        "CONFIG_UNKNOWN_FIELD",
        "cannot read cuenv.cache.json: `maxSzie` is not a setting",
        "did you mean `maxSize`?",
      ],
    ]);
  });

  it("keeps a namespace to names that are one folder everywhere", () => {
    expect(parse({ namespace: "a.b-c_1" })).toEqual({ namespace: "a.b-c_1" });
    for (const namespace of ["", "..", "a/b", "a\\b", ".hidden", "é", "x".repeat(129)])
      expect(codesOf(() => parse({ namespace }))).toEqual(["CONFIG_NAME"]);
  });

  it("row 10: takes globs of variables, and refuses what no name can match", () => {
    expect(parse({ envInclude: ["LC_*", "A?B", "["] })).toEqual({
      envInclude: ["LC_*", "A?B", "["],
    });
    for (const glob of ["", "A=B", "A B"])
      expect(codesOf(() => parse({ envExclude: [glob] }))).toEqual(["CONFIG_VALUE"]);
  });

  it("names what it knows and does not use, once", () => {
    const { warnings, settings } = parseCacheSettings(
      { inline_threshold: 1024, storage: { compression_enabled: true } },
      place,
    );
    expect(settings).toEqual({});
    expect(warnings.map(({ message }) => message)).toEqual([
      "`inline_threshold` in cuenv.cache.json has no effect in this version",
      "`storage` in cuenv.cache.json has no effect in this version",
    ]);
  });

  it("keeps an unlimited age apart from one that is not set, through JSON too", () => {
    const age = JSON.parse(JSON.stringify(parse({ maxAge: "infinite" })));
    expect(age).toEqual({ maxAgeMs: Number.MAX_SAFE_INTEGER });
  });

  it.each([[[]], ["x"], [3], [true]])("refuses %j, which is no struct", (data) => {
    expect(codesOf(() => parse(data))).toEqual(["CONFIG_TYPE"]);
  });

  it("T18: is not led astray by fields that look like a prototype", () => {
    const data = JSON.parse('{"__proto__": {"enabled": false}, "constructor": {"x": 1}}');
    expect(codesOf(() => parse(data))).toEqual(["CONFIG_UNKNOWN_FIELD"]);
    expect(({} as Record<string, unknown>)["enabled"]).toBeUndefined();
  });
});
