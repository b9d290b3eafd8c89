import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";

const source = "@cuenv/source";

export default defineConfig({
  // A list here replaces Vite's server defaults, so they are spelled out after ours.
  ssr: { resolve: { conditions: [source, "module", "node", "development|production"] } },
  test: {
    // For what a test spawns: child processes and workers run from source, too.
    env: {
      NODE_OPTIONS: `--conditions=${source}`,
      NODE_EXTRA_CA_CERTS: "",
      // For the tests that install something: behind a proxy, certificates come from there.
      TESTS_EXTRA_CA_CERTS: process.env["NODE_EXTRA_CA_CERTS"] ?? "",
    },
    globalSetup: ["test/global-setup.mjs"],
    // One more than processors: much of what a test file does is wait for processes that it started, and for time to pass.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    isolate: true, // spelled out: an implicit default makes Vitest 5 print a speed hint
    // No test is timed: these end one that hangs, on a machine that has ten other things to do.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 60_000, interval: 25 } },
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "test/**/*.test.ts",
      "tools/**/*.test.ts",
    ],
  },
});
