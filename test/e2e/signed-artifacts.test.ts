import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createSandbox, temporaryFolder } from "./sandbox.ts";
import { type Serving, startServing } from "./serving.ts";

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

describe("cuenv serve --sign", () => {
  const dir = join(temporaryFolder(), "cache");
  const serve = async (home: string, flags: readonly string[] = ["--sign"]): Promise<Serving> => {
    const serving = await startServing({ HOME: home }, { dir, flags });
    stops.push(() => serving.stop());
    return serving;
  };
  const paths = {
    turborepo: "/v8/artifacts/c13082a5f3e03b6b?slug=acme",
    gradle: `/gradle/${"0123456789abcdef".repeat(2)}`,
  };
  const put = async ({ url }: Serving, path: string) =>
    (await fetch(url + path, { method: "PUT", body: "an archive" })).status;
  const get = async ({ url }: Serving, path: string) => (await fetch(url + path)).status;

  it("signs what comes in, and serves only what somebody signed who is trusted here", async () => {
    const ann = temporaryFolder();
    const signing = await serve(ann);
    const other = await serve(ann);
    const believing = await serve(ann, []);
    for (const path of Object.values(paths)) {
      expect(await put(signing, path)).toBeLessThan(300);
      for (const each of [signing, other, believing]) expect(await get(each, path)).toBe(200);
    }
    expect(signing.said()).toBe("");
    const stranger = await serve(temporaryFolder());
    for (const path of Object.values(paths)) expect(await get(stranger, path)).toBe(404);
    expect(stranger.said()).toMatch(
      /^warning: stored artifacts are not used, \w+ for one: the key ed25519-\w+ is not trusted\n$/,
    );
    const metrics = await (await fetch(`${stranger.url}/metrics`)).text();
    expect(metrics).toContain(
      'cuenv_server_artifacts_refused_total{origin="stored",protocol="gradle",reason="unknownKey"} 1',
    );
    // What was written to a server that believes its clients is nobody's word.
    expect(await put(believing, paths.gradle)).toBeLessThan(300);
    expect(await get(believing, paths.gradle)).toBe(200);
    expect(await get(signing, paths.gradle)).toBe(404);
  });

  it("cannot be had with trust off", async () => {
    const env = { CUENV_TRUST: "off" };
    expect(
      await createSandbox({}).cuenv(["serve", "--http", "0", "--sign"], { env }),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot sign artifacts: CUENV_TRUST is off"),
    });
  });
});
