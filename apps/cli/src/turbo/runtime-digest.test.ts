import { afterEach, describe, expect, it, vi } from "vitest";
import { runtimeDigest } from "./runtime-digest.ts";

afterEach(() => vi.unstubAllEnvs());

describe("the runtime commands of a workspace", () => {
  it("see no more of cuenv's own variables than tasks do: a project names them", () => {
    vi.stubEnv("CUENV_SIGNING_KEY", "private");
    vi.stubEnv("CUENV_REMOTE_CACHE_AUTH_TOKEN", "secret");
    vi.stubEnv("SEEN", "yes");
    const sees = (name: string): string | undefined =>
      runtimeDigest([`printf %s "$${name}"`], process.cwd());
    const nothing = sees("CUENV_NO_SUCH_VARIABLE");
    for (const name of ["CUENV_SIGNING_KEY", "CUENV_REMOTE_CACHE_AUTH_TOKEN"])
      expect(runtimeDigest([`test -z "$${name}"`], process.cwd())).toBeDefined();
    expect(sees("SEEN")).not.toBe(nothing);
    expect(() => runtimeDigest(['test -z "$SEEN"'], process.cwd())).toThrow(/failed: exit code 1/);
  });
});
