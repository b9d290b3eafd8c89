import { defineConfig } from "vitest/config";

const source = "@cuenv/source";

export default defineConfig({
  // A list here replaces Vite's server defaults, so they are spelled out after ours.
  ssr: { resolve: { conditions: [source, "module", "node", "development|production"] } },
  test: {
    // For what a test spawns: child processes and workers run from source, too.
    env: { NODE_OPTIONS: `--conditions=${source}`, NODE_EXTRA_CA_CERTS: "" },
    globalSetup: ["test/global-setup.mjs"],
    isolate: true, // spelled out: an implicit default makes Vitest 5 print a speed hint
    testTimeout: 60_000,
    hookTimeout: 60_000,
    include: [
      "packages/*/src/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "test/**/*.test.ts",
      "tools/**/*.test.ts",
    ],
  },
});
