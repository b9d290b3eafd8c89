import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Serving, startServing } from "../e2e/serving.ts";
import { randomBuild } from "./random-build.ts";

/** `npm run test:builds` makes more of them. */
const builds = Number(process.env["CUENV_RANDOM_BUILDS"] ?? 6);
const first = Number(process.env["CUENV_RANDOM_SEED"] ?? 1);
const seeds = Array.from({ length: builds }, (_, at) => first + at);
const steps = 12;
const token = "of-random-builds";

let serving: Serving;
beforeAll(async () => {
  const flags = ["--grpc", "127.0.0.1:0"];
  serving = await startServing({ CUENV_SERVER_TOKEN: token }, { flags });
});
afterAll(() => serving.stop());

describe.concurrent("random builds of random projects", () => {
  it.each(seeds)("are right with one cache folder: seed %i", async (seed) => {
    await expect(randomBuild(seed, steps)).resolves.toBeUndefined();
  });

  it.each(seeds)("are right with a remote cache: seed %i", async (seed) => {
    const remote = {
      CUENV_REMOTE_CACHE_ENDPOINT: serving.grpcUrl,
      CUENV_REMOTE_CACHE_AUTH_TOKEN: token,
    };
    await expect(randomBuild(seed, steps, remote)).resolves.toBeUndefined();
  });
});
