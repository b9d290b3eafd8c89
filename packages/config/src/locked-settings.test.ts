import { CuenvError } from "@cuenv/errors";
import { describe, expect, it } from "vitest";
import type { CacheSettingsInput } from "./cache-settings.ts";
import { assertUnlocked } from "./locked-settings.ts";
import { resolveCacheSettings } from "./resolve-cache-settings.ts";
import { resolveTrustSettings } from "./trust-settings.ts";

interface Place {
  readonly environment?: Readonly<Record<string, string>>;
  readonly project?: CacheSettingsInput;
  readonly workspaceFile?: CacheSettingsInput;
  readonly userFile?: CacheSettingsInput;
}

/** What stands in the way of `place`, or the settings that come of it. */
function settled(locked: boolean | undefined, place: Place): unknown {
  const { environment = {}, project = {}, workspaceFile = {}, userFile = {} } = place;
  const user = locked === undefined ? {} : { locked };
  try {
    const cache = resolveCacheSettings({
      environment: { HOME: "/home/ann", ...environment },
      project,
      files: [
        { source: "project", path: "/work/cuenv.cache.json", settings: workspaceFile },
        { source: "user", path: "/home/ann/.config/cuenv/config.json", settings: userFile },
      ],
      projectDirectory: "/work",
    });
    assertUnlocked(user, { environment, cache });
    resolveTrustSettings({ environment: { HOME: "/home/ann", ...environment }, user });
    return cache.settings;
  } catch (error) {
    if (error instanceof CuenvError) return `${error.code} ${error.message}`;
    throw error;
  }
}

const because = "the user's settings file has locked that";

describe("T15: locked settings", () => {
  it.each<[string, Place]>([
    ["the variable CUENV_CACHE_DIR", { environment: { CUENV_CACHE_DIR: "/tmp/evil" } }],
    ["the variable CUENV_CACHE_BASE_DIR", { environment: { CUENV_CACHE_BASE_DIR: "/tmp/evil" } }],
    ["the variable CUENV_CACHE_NAMESPACE", { environment: { CUENV_CACHE_NAMESPACE: "main" } }],
    [
      "the variable CUENV_REMOTE_CACHE_ENDPOINT",
      { environment: { CUENV_REMOTE_CACHE_ENDPOINT: "grpcs://evil.test" } },
    ],
    ["the variable CUENV_TRUST", { environment: { CUENV_TRUST: "off" } }],
    ["the variable CUENV_TRUST_FILE", { environment: { CUENV_TRUST_FILE: "/tmp/evil" } }],
    ["the variable CUENV_SIGNING_KEY", { environment: { CUENV_SIGNING_KEY: "evil" } }],
    ["the variable CUENV_SIGNING_KEY_FILE", { environment: { CUENV_SIGNING_KEY_FILE: "evil" } }],
    ["cacheDir of config.cache in CUE", { project: { cacheDir: ".cache" } }],
    ["namespace of config.cache in CUE", { project: { namespace: "main" } }],
    ["cacheDir of /work/cuenv.cache.json", { workspaceFile: { cacheDir: ".cache" } }],
    ["namespace of /work/cuenv.cache.json", { workspaceFile: { namespace: "main" } }],
  ])("refuse %s, which counts without the lock", (what, place) => {
    expect(settled(true, place)).toBe(`CONFIG_LOCKED cannot use ${what}: ${because}`);
    for (const locked of [false, undefined])
      expect(settled(locked, place)).toMatchObject({ defaultMode: "read-write" });
  });

  it("let a key sign that a variable gives, where the trust file has to have it", () => {
    const environment = { CUENV_SIGNING_KEY: "the key of CI" };
    for (const mode of ["required", "ci-only", "off"] as const)
      expect(() => assertUnlocked({ locked: true, mode }, { environment })).not.toThrow();
    for (const user of [{ locked: true, mode: "local" }, { locked: true }] as const)
      expect(() => assertUnlocked(user, { environment })).toThrow("CUENV_SIGNING_KEY");
  });

  it("are those of the user's file, and what moves nothing is anybody's", () => {
    const userFile = { cacheDir: "/srv/cache", namespace: "main" };
    const place = {
      userFile,
      environment: { CUENV_CACHE: "read", CUENV_TRUST: "", CUENV_CACHE_MAX_SIZE: "1GiB" },
      project: { envMode: "loose" },
    } as const;
    expect(settled(true, place)).toMatchObject({
      ...userFile,
      defaultMode: "read",
      maxSizeBytes: 2 ** 30,
      envMode: "loose",
    });
  });
});
