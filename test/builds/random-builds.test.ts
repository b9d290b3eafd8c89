import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Serving, startServing } from "../e2e/serving.ts";
import { type Faults, startChaosProxy } from "../../tools/chaos-proxy.mjs";
import type { Random } from "./random.ts";
import { randomBuild } from "./random-build.ts";

/** More of them, and longer ones, after changes: CONTRIBUTING.md. */
const asked = process.env["CUENV_RANDOM_BUILDS"];
const builds = Number(asked ?? 2);
const first = Number(process.env["CUENV_RANDOM_SEED"] ?? 1);
const seeds = Array.from({ length: builds }, (_, at) => first + at);
const steps = asked === undefined ? 7 : 12;
const faults: readonly Faults[] = [
  {},
  {},
  { latencyMs: 20, jitterMs: 20 },
  { cutAfterBytes: 700 },
  { cutAfterBytes: 3000 },
  { flipAtByte: 400 },
  { dripBytesPerSecond: 5000 },
  { reset: true },
  { blackHole: true },
];
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

  it.each(seeds)("are right with a remote cache behind a bad network: seed %i", async (seed) => {
    const { hostname, port } = new URL(serving.grpcUrl);
    const proxy = await startChaosProxy({ host: hostname, port: Number(port) });
    const remote = {
      CUENV_REMOTE_CACHE_ENDPOINT: `grpc://127.0.0.1:${proxy.port}`,
      CUENV_REMOTE_CACHE_AUTH_TOKEN: token,
      CUENV_REMOTE_CACHE_TIMEOUT: "1",
    };
    const disturb = (random: Random): string => {
      proxy.faults = random.pick(faults);
      return JSON.stringify(proxy.faults);
    };
    try {
      await expect(randomBuild(seed, steps, remote, disturb)).resolves.toBeUndefined();
    } finally {
      await proxy.close();
    }
  });
});
