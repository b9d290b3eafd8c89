import { afterEach, describe, expect, it, vi } from "vitest";
import { accessPolicy, readServerSettings } from "./server-access.ts";

describe("CUENV_SERVER_TOKEN", () => {
  afterEach(() => vi.unstubAllEnvs());
  const policyFor = (token: string, host = "0.0.0.0") => {
    vi.stubEnv("CUENV_SERVER_TOKEN", token);
    return accessPolicy(readServerSettings(undefined), [host], () => undefined);
  };

  it("is what clients send: without the newline that a mounted secret ends with", async () => {
    for (const token of ["s3cret+/=", "s3cret+/=\n", " s3cret+/=\r\n"]) {
      const policy = await policyFor(token);
      expect(await policy.identify("s3cret+/="), token).toMatchObject({
        name: "CUENV_SERVER_TOKEN",
      });
      expect(await policy.identify("other")).toBeUndefined();
    }
  });

  it("is none where it is blank: nobody may come in from elsewhere then", async () => {
    await expect(policyFor(" \n")).rejects.toMatchObject({ code: "SERVER_CONFIG_INVALID" });
    expect(await (await policyFor("", "127.0.0.1")).identify(undefined)).toBeDefined();
  });
});
