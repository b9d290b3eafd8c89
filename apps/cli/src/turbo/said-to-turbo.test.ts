import { describe, expect, it } from "vitest";
import { namedRemote, saysCaches } from "./said-to-turbo.ts";

describe("what is said to turbo", () => {
  it("names a remote cache by a variable with a value, or a flag before the arguments of tasks", () => {
    expect(namedRemote(["run", "build"], { TURBO_TOKEN: "t" })).toContain("TURBO_TOKEN is set");
    expect(namedRemote(["run", "build"], { TURBO_API: "http://x" })).toContain("TURBO_API");
    expect(namedRemote(["run", "build", "--api=http://x"], {})).toContain("--api");
    expect(namedRemote(["run", "build"], { TURBO_TOKEN: "", TURBO_API: "" })).toBeUndefined();
    expect(namedRemote(["run", "build", "--", "--api", "x"], {})).toBeUndefined();
  });

  it.each([
    ["--remote-only"],
    ["--remote-only=true"],
    ["--no-cache"],
    ["--no-cache=false"],
    ["--remote-cache-read-only"],
  ])("says which caches are used: %s", (flag) => {
    expect(saysCaches(["run", "build", flag], {})).toBe(true);
    expect(saysCaches(["run", "build", "--", flag], {})).toBe(false);
  });

  it("says nothing of caches where turbo takes TURBO_CACHE, too", () => {
    expect(saysCaches(["run", "build", "--remote-only=false", "--cache=local:r"], {})).toBe(false);
    expect(saysCaches(["run", "build", "--force"], { TURBO_REMOTE_ONLY: "false" })).toBe(false);
    expect(saysCaches(["run", "build"], { TURBO_REMOTE_ONLY: "true" })).toBe(true);
    expect(saysCaches(["run", "build"], { TURBO_REMOTE_CACHE_READ_ONLY: "1" })).toBe(true);
  });
});
