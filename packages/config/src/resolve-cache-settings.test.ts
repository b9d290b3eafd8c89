import { homedir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import * as fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { codesOf, problemsOf } from "../test/projects.ts";
import type { CacheSettings, CacheSettingsInput } from "./cache-settings.ts";
import { settingVariables } from "./environment-settings.ts";
import { defaultCacheSettings, resolveCacheSettings } from "./resolve-cache-settings.ts";

const environment = { HOME: "/home/ann" };
const base = { environment, projectDirectory: "/repo/app", workingDirectory: "/tmp/here" };

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("resolveCacheSettings", () => {
  it("row 5: has a value and a source for every setting without any configuration", () => {
    const { settings, sources } = resolveCacheSettings(base);
    expect(settings).toEqual({
      enabled: true,
      defaultMode: "read-write",
      cacheDir: join("/home/ann", ".cache", "cuenv"),
      maxSizeBytes: 10_737_418_240,
      maxAgeMs: undefined,
      evictionPolicy: "LRU",
      envInclude: [],
      envExclude: [],
      envMode: "strict",
      runtime: [],
      keyEpoch: 0,
      digestFunction: "sha256",
      durability: "relaxed",
      statsRetentionDays: 30,
      namespace: "default",
      remoteEndpoint: undefined,
      remoteAuthToken: undefined,
      remoteTimeoutSeconds: 30,
      remoteMaxConcurrent: 10,
      remoteUploadEnabled: true,
      remoteDownloadEnabled: true,
    });
    for (const [field, { value, source }] of Object.entries(sources)) {
      expect(source).toBe("default");
      expect(value).toEqual(settings[field as keyof CacheSettings]);
    }
  });

  it("puts the cache below $XDG_CACHE_HOME when that is an absolute path", () => {
    const at = (variables: Record<string, string>): string =>
      resolveCacheSettings({ ...base, environment: variables }).settings.cacheDir;
    expect(at({ HOME: "/h", XDG_CACHE_HOME: "/x" })).toBe("/x/cuenv");
    expect(at({ HOME: "/h", XDG_CACHE_HOME: "x" })).toBe("/h/.cache/cuenv");
    expect(at({})).toBe(join(homedir(), ".cache", "cuenv"));
  });

  it("puts it below the home that the system knows when $HOME is a relative path", () => {
    vi.stubEnv("HOME", "here");
    const { settings } = resolveCacheSettings({ ...base, environment: { HOME: "here" } });
    expect(settings.cacheDir).toBe(join(userInfo().homedir, ".cache", "cuenv"));
  });

  it.each(["here", "", undefined])(
    "puts it below the root, and does not fail, for a user without an account whose $HOME is %j",
    async (home) => {
      vi.resetModules();
      const unknown = (): never => {
        throw Object.assign(new Error("uv_os_get_passwd returned ENOENT"), { code: "ENOENT" });
      };
      vi.doMock("node:os", () => ({
        homedir: () => process.env["HOME"] ?? unknown(),
        userInfo: unknown,
      }));
      vi.stubEnv("HOME", home);
      try {
        const { homeOf } = await import("./resolve-cache-settings.ts");
        expect(homeOf({ HOME: home })).toBe(resolve("/"));
      } finally {
        vi.doUnmock("node:os");
        vi.resetModules();
      }
    },
  );

  it("row 8: expands ~ and takes a relative folder from where it was written", () => {
    const at = (layer: object): string =>
      resolveCacheSettings({ ...base, ...layer }).settings.cacheDir;
    expect(at({ project: { cacheDir: "~" } })).toBe("/home/ann");
    expect(at({ project: { cacheDir: "~/c" } })).toBe("/home/ann/c");
    expect(at({ project: { cacheDir: ".cache" } })).toBe("/repo/app/.cache");
    expect(at({ flags: { cacheDir: "c" } })).toBe("/tmp/here/c");
    expect(at({ environment: { ...environment, CUENV_CACHE_DIR: "c" } })).toBe("/tmp/here/c");
    const file = { source: "user", path: "/etc/x/config.json", settings: { cacheDir: "../c" } };
    expect(at({ files: [file] })).toBe("/etc/c");
    expect(at({ project: { cacheDir: "~other/c" } })).toBe("/repo/app/~other/c");
  });

  it("row 5: prefers flags, then environment, CUE, project files, the user's file, defaults", () => {
    const strongest = [
      { flags: { keyEpoch: 1 } },
      { environment: { ...environment, CUENV_CACHE_KEY_EPOCH: "2" } },
      { project: { keyEpoch: 3 } },
      {
        files: [
          { source: "project", path: "/repo/app/cuenv.cache.json", settings: { keyEpoch: 4 } },
          { source: "project", path: "/repo/cuenv.cache.json", settings: { keyEpoch: 5 } },
          {
            source: "user",
            path: "/home/ann/.config/cuenv/config.json",
            settings: { keyEpoch: 6 },
          },
        ] as const,
      },
    ];
    const found = strongest.map((_, index) => {
      const options = Object.assign({}, base, ...strongest.slice(index));
      return resolveCacheSettings(options).sources.keyEpoch;
    });
    expect(found).toEqual([
      { value: 1, source: "flag" },
      { value: 2, source: "environment", origin: "CUENV_CACHE_KEY_EPOCH" },
      { value: 3, source: "project", origin: "config.cache in CUE" },
      { value: 4, source: "project", origin: "/repo/app/cuenv.cache.json" },
    ]);
  });

  it("row 5: setting one field never resets another", () => {
    const value: { readonly [Field in keyof CacheSettings]: fc.Arbitrary<CacheSettings[Field]> } = {
      enabled: fc.boolean(),
      defaultMode: fc.constantFrom("off", "read", "read-write", "write"),
      cacheDir: fc.constantFrom("/a", "/b"),
      maxSizeBytes: fc.integer({ min: 2 ** 20, max: 2 ** 40 }),
      maxAgeMs: fc.integer({ min: 0, max: 1e9 }),
      evictionPolicy: fc.constantFrom("LRU", "LFU", "FIFO", "SizeBased"),
      envInclude: fc.array(fc.constant("A")),
      envExclude: fc.array(fc.constant("B")),
      envMode: fc.constantFrom("strict", "loose"),
      runtime: fc.array(fc.constant("node --version")),
      keyEpoch: fc.nat(),
      digestFunction: fc.constantFrom("sha256", "blake3"),
      durability: fc.constantFrom("relaxed", "batch", "full"),
      statsRetentionDays: fc.integer({ min: 1, max: 99 }),
      namespace: fc.constantFrom("a", "b"),
      remoteEndpoint: fc.constantFrom("grpc://a", "grpcs://b"),
      remoteAuthToken: fc.constantFrom("${A}", "${B}"),
      remoteCaCertificate: fc.constantFrom("/a.pem", "/b.pem"),
      remoteClientCertificate: fc.constantFrom("/a.pem", "/b.pem"),
      remoteClientKey: fc.constantFrom("/a.key", "/b.key"),
      remoteTimeoutSeconds: fc.integer({ min: 1, max: 300 }),
      remoteMaxConcurrent: fc.integer({ min: 1, max: 100 }),
      remoteUploadEnabled: fc.boolean(),
      remoteDownloadEnabled: fc.boolean(),
    };
    const layer = fc.record(value, { requiredKeys: [] }) as fc.Arbitrary<CacheSettingsInput>;
    fc.assert(
      fc.property(layer, layer, layer, (flags, project, user) => {
        const files = [{ source: "user", path: "/u/config.json", settings: user }] as const;
        const { settings } = resolveCacheSettings({ ...base, flags, project, files });
        for (const field of Object.keys(settings) as (keyof CacheSettings)[]) {
          if (field === "cacheDir") continue;
          const wanted = [flags, project, user].find((each) => each[field] !== undefined)?.[field];
          expect(settings[field]).toEqual(wanted ?? defaultCacheSettings[field]);
        }
      }),
    );
  });

  it("takes an infinite age over a weaker layer's limit", () => {
    const files = [{ source: "user", path: "/u/c.json", settings: { maxAgeMs: 5 } }] as const;
    const project = { maxAgeMs: Number.MAX_SAFE_INTEGER };
    expect(resolveCacheSettings({ ...base, project, files }).settings.maxAgeMs).toBeUndefined();
    expect(resolveCacheSettings({ ...base, files }).settings.maxAgeMs).toBe(5);
  });
});

describe("the variables of the environment", () => {
  const read = (variables: Record<string, string>): CacheSettings =>
    resolveCacheSettings({ ...base, environment: { ...environment, ...variables } }).settings;

  it("sets every setting", () => {
    const values: Readonly<Record<keyof CacheSettings, readonly [string, unknown]>> = {
      enabled: ["false", false],
      defaultMode: ["Read", "read"],
      cacheDir: ["/c", "/c"],
      maxSizeBytes: ["2GiB", 2_147_483_648],
      maxAgeMs: ["1d", 86_400_000],
      evictionPolicy: ["fifo", "FIFO"],
      envInclude: ["A*, B", ["A*", "B"]],
      envExclude: ["C", ["C"]],
      envMode: ["loose", "loose"],
      runtime: ["node --version,go version", ["node --version", "go version"]],
      keyEpoch: ["7", 7],
      digestFunction: ["BLAKE3", "blake3"],
      durability: ["full", "full"],
      statsRetentionDays: ["5", 5],
      namespace: ["ci", "ci"],
      remoteEndpoint: ["grpcs://cache:9092", "grpcs://cache:9092"],
      remoteAuthToken: ["${TOKEN}", "${TOKEN}"],
      remoteCaCertificate: ["/ca.pem", "/ca.pem"],
      remoteClientCertificate: ["/client.pem", "/client.pem"],
      remoteClientKey: ["/client.key", "/client.key"],
      remoteTimeoutSeconds: ["60", 60],
      remoteMaxConcurrent: ["100", 100],
      remoteUploadEnabled: ["no", false],
      remoteDownloadEnabled: ["off", false],
    };
    for (const field of Object.keys(values) as (keyof CacheSettings)[]) {
      const [text, value] = values[field];
      for (const name of settingVariables[field]) {
        const { settings, sources } = resolveCacheSettings({
          ...base,
          environment: { ...environment, [name]: text },
        });
        expect(settings[field]).toEqual(value);
        expect(sources[field]).toEqual({ value, source: "environment", origin: name });
      }
    }
  });

  it("row 6: CUENV_CACHE_ENABLED takes true, false, 1, 0, yes, no, on, off", () => {
    for (const word of ["true", "1", "YES", "on"])
      expect(read({ CUENV_CACHE_ENABLED: word }).enabled).toBe(true);
    for (const word of ["false", "0", "No", "off"])
      expect(read({ CUENV_CACHE_ENABLED: word }).enabled).toBe(false);
  });

  it("counts an empty variable as unset", () => {
    expect(read({ CUENV_CACHE: "", CUENV_CACHE_DIR: "" })).toEqual(read({}));
  });

  it("prefers our own name of a setting to an older one", () => {
    expect(read({ CUENV_CACHE_DIR: "/new", CUENV_CACHE_BASE_DIR: "/old" }).cacheDir).toBe("/new");
  });

  it("row 7: refuses a value that cannot be read and names the variable, all of them at once", () => {
    const problems = problemsOf(() =>
      read({ CUENV_CACHE: "maybe", CUENV_CACHE_MAX_SIZE: "huge", CUENV_CACHE_KEY_EPOCH: "-1" }),
    );
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ["CONFIG_CACHE_MODE", expect.stringContaining("CUENV_CACHE:")],
      ["CONFIG_VALUE", expect.stringContaining("CUENV_CACHE_MAX_SIZE")],
      ["CONFIG_TYPE", expect.stringContaining("CUENV_CACHE_KEY_EPOCH")],
    ]);
    expect(codesOf(() => read({ CUENV_CACHE_ENABLED: "maybe" }))).toEqual(["CONFIG_TYPE"]);
  });
});
