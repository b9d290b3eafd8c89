import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuMilliseconds } from "../test/cpu-milliseconds.ts";
import { loaderVariables, passThroughVariables } from "./environment-lists.ts";
import {
  type EnvironmentFilter,
  type FilteredEnvironment,
  filterEnvironmentVariables,
} from "./filter-environment-variables.ts";
import { compileNames } from "./name-matcher.ts";

function filter(options: Partial<EnvironmentFilter>): FilteredEnvironment {
  return filterEnvironmentVariables({
    host: {},
    declared: {},
    include: [],
    exclude: [],
    ...options,
  });
}

function inKey(result: FilteredEnvironment): string[] {
  return result.variables.map((variable) => variable.name);
}

describe("row 36: filterEnvironmentVariables", () => {
  const host = {
    PATH: "/bin",
    HOME: "/h",
    RANDOM_X: "1",
    API_TOKEN: "t",
    LC_ALL: "C",
    NODE_OPTIONS: "-r x",
    LD_PRELOAD: "x.so",
  };

  it("row 24: has the value in the key that is no checkout's, and the task see the other", () => {
    const result = filter({ host, keyed: { PATH: "/usr/bin" }, include: ["PATH", "RANDOM_*"] });
    expect(result.variables).toEqual([
      { name: "PATH", value: "/usr/bin" },
      { name: "RANDOM_X", value: "1" },
    ]);
    expect(result.visible).toMatchObject({ PATH: "/bin" });
  });

  it("row 3: keeps what nobody declared out of the key and away from the task", () => {
    const result = filter({ host, declared: { MODE: "fast" } });
    expect(result.variables).toEqual([{ name: "MODE", value: "fast" }]);
    expect(result.visible).toEqual({ HOME: "/h", LC_ALL: "C", MODE: "fast", PATH: "/bin" });
  });

  it("is strict unless it is told to be loose, for one environment after the other", () => {
    const shared = Object.freeze({ ...host, UNSET: undefined });
    const strict = filter({ host: shared, mode: "strict" });
    const loose = filter({ host: shared, mode: "loose" });
    expect(filter({ host: shared })).toEqual(strict);
    expect(filter({ host: shared, mode: "loose" })).toEqual(loose);
    expect(Object.keys(strict.visible).toSorted()).toEqual(["HOME", "LC_ALL", "PATH"]);
    expect(Object.keys(loose.visible)).toEqual(["API_TOKEN", "HOME", "LC_ALL", "PATH", "RANDOM_X"]);
    expect(filter({ host: shared, include: ["UNS*", "API*"] }).variables).toEqual([
      { name: "API_TOKEN", value: "t" },
    ]);
  });

  it("looks again through an environment that may have changed", () => {
    const changing: Record<string, string> = { PATH: "/bin", A: "1" };
    expect(filter({ host: changing, include: ["A"] }).variables).toEqual([
      { name: "A", value: "1" },
    ]);
    changing["A"] = "2";
    changing["PATH"] = "/sbin";
    const again = filter({ host: changing, include: ["A"] });
    expect(again.variables).toEqual([{ name: "A", value: "2" }]);
    expect(again.visible["PATH"]).toBe("/sbin");
  });

  it("refuses secrets without a salt, and with an empty one (T9)", () => {
    for (const secretSalt of [undefined, "", new Uint8Array()])
      expect(() => filter({ declared: { S: "x" }, secrets: ["S"], secretSalt })).toThrow(
        "a secret is declared (S) and no salt is given",
      );
  });

  it("row 3: gives the same key whatever terminal, user, session or CI run it is", () => {
    const noise = [
      "RANDOM_X",
      "TERM",
      "TMPDIR",
      "HOME",
      "SHLVL",
      "GITHUB_RUN_ID",
      "CI",
      "PWD",
      "USER",
      "XDG_SESSION_ID",
      "SSH_AUTH_SOCK",
    ];
    const noisy = Object.fromEntries(noise.map((name) => [name, "other"]));
    const declared = { A: "1" };
    expect(filter({ host: { ...host, ...noisy }, declared }).variables).toEqual(
      filter({ host: {}, declared }).variables,
    );
  });

  it("row 10: adds what envInclude matches to the key, and makes it visible", () => {
    const result = filter({ host, include: ["*_TOKEN", "LC_*"] });
    expect(inKey(result)).toEqual(["API_TOKEN", "LC_ALL"]);
    expect(result.visible["API_TOKEN"]).toBe("t");
  });

  it("row 10: lets envExclude win over envInclude, and take declared variables out of the key", () => {
    const result = filter({
      host,
      declared: { BUILD_ID: "7" },
      include: ["*"],
      exclude: ["*_TOKEN", "BUILD_*", "NODE_OPTIONS", "LD_*", "PATH"],
    });
    expect(inKey(result)).toEqual(["HOME", "LC_ALL", "RANDOM_X"]);
    expect(result.visible).toMatchObject({ BUILD_ID: "7", PATH: "/bin" });
    expect(result.visible).not.toHaveProperty("API_TOKEN");
  });

  it("shows everything but loaders when loose, with the same key", () => {
    const loose = filter({ host, mode: "loose", declared: { MODE: "x" } });
    expect(loose.visible).toEqual({
      PATH: "/bin",
      HOME: "/h",
      RANDOM_X: "1",
      API_TOKEN: "t",
      LC_ALL: "C",
      MODE: "x",
    });
    expect(loose.variables).toEqual(filter({ host, declared: { MODE: "x" } }).variables);
  });

  it("never passes on a variable that loads code, unless it is in the key (T15)", () => {
    const loaders = loaderVariables.map((name) => name.replace("*", "PRELOAD"));
    const loading = Object.fromEntries(loaders.map((name) => [name, "evil"]));
    for (const mode of ["strict", "loose"] as const)
      expect(filter({ host: loading, mode }).visible).toEqual({});
    const declared = filter({ host: loading, include: ["NODE_OPTIONS"] });
    expect(inKey(declared)).toEqual(["NODE_OPTIONS"]);
    expect(declared.visible).toEqual({ NODE_OPTIONS: "evil" });
    expect(loaders.some(compileNames(passThroughVariables))).toBe(false);
  });

  it("lets what CUE sets win over the host", () => {
    const result = filter({ host: { A: "host" }, declared: { A: "cue" }, include: ["A"] });
    expect(result).toEqual({ visible: { A: "cue" }, variables: [{ name: "A", value: "cue" }] });
  });

  it("puts secrets into the key as HMAC under the salt (T9)", () => {
    const secret = (value: string, salt: string): FilteredEnvironment =>
      filter({ declared: { TOKEN: value }, secrets: ["TOKEN"], secretSalt: salt });
    const first = secret("s3cr3t-canary", "salt");
    expect(JSON.stringify(first.variables)).not.toContain("s3cr3t-canary");
    expect(first.visible).toEqual({ TOKEN: "s3cr3t-canary" });
    expect(first.variables).toEqual([
      { name: "TOKEN", hmac: "73b0aa2719a78e1aa44b924f329a55cb394d76dc7adb0a4d6909be64b71601a1" },
    ]);
    expect(secret("other", "salt").variables).not.toEqual(first.variables);
    expect(secret("s3cr3t-canary", "other").variables).not.toEqual(first.variables);
    expect(() => filter({ declared: { TOKEN: "x" }, secrets: ["TOKEN"] })).toThrow(/no salt/);
  });

  it("does not depend on the order of names, and on no undeclared variable", () => {
    const variables = fc.dictionary(fc.stringMatching(/^[A-Z_]{1,4}$/), fc.string());
    fc.assert(
      fc.property(variables, variables, variables, (declared, environment, noise) => {
        const include = ["A*", "?B"];
        const result = filter({ host: environment, declared, include });
        const turned = (record: Record<string, string>): Record<string, string> =>
          Object.fromEntries(Object.entries(record).toReversed());
        expect(filter({ host: turned(environment), declared: turned(declared), include })).toEqual(
          result,
        );
        const undeclared = Object.entries(noise).filter(([name]) => !compileNames(include)(name));
        const noisy = { ...Object.fromEntries(undeclared), ...environment };
        expect(filter({ host: noisy, declared, include }).variables).toEqual(result.variables);
        for (const name of inKey(result)) expect(result.visible).toHaveProperty([name]);
      }),
    );
  });

  it("sees changes of an environment that is not frozen", () => {
    const changing = { HOME: "1" };
    filter({ host: changing });
    changing.HOME = "2";
    expect(filter({ host: changing }).visible).toEqual({ HOME: "2" });
    const frozen = Object.freeze({ HOME: "1", X: "2" });
    expect(filter({ host: frozen }).visible).toEqual({ HOME: "1" });
    expect(filter({ host: frozen, mode: "loose" }).visible).toEqual({ HOME: "1", X: "2" });
    expect(filter({ host: frozen }).visible).toEqual({ HOME: "1" });
  });
});

describe("row 10: compileNames", () => {
  const cases: readonly (readonly [pattern: string, name: string, expected: boolean])[] = [
    ["LC_*", "LC_ALL", true],
    ["LC_*", "XLC_ALL", false],
    ["*_TOKEN", "NPM_TOKEN", true],
    ["*_TOKEN", "NPM_TOKENS", false],
    ["A?B", "AxB", true],
    ["A?B", "AB", false],
    ["A[BC]", "AB", false],
    ["A[BC]", "A[BC]", true],
    ["path", "PATH", false],
    ["*", "", true],
    ["A*B*C", "AxByC", true],
    ["A.B", "AxB", false],
    ["A*", "A", true],
  ];
  it.each(cases)("%s and %s: %s", (pattern, name, expected) => {
    expect(compileNames([pattern])(name)).toBe(expected);
  });

  it("is bounded in time (T17)", () => {
    const taken = cpuMilliseconds(() => {
      expect(compileNames(["*A*A*A*A*A*A*A*A*A*B"])("A".repeat(10_000))).toBe(false);
    });
    expect(taken).toBeLessThan(50);
  });
});
