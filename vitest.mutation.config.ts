import { defineConfig } from "vitest/config";
import base from "./vitest.config.ts";

/** As the usual tests, those of one scope (stryker.config.mjs), without building the command first. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    globalSetup: [],
    // Modules are loaded once for all files that test a change. The tests of a scope keep nothing in modules.
    isolate: false,
    include: [process.env["CUENV_MUTATION_TESTS"] ?? "packages/signer/src/**/*.test.ts"],
    // 10 000 forgeries for each change would take hours; the others must notice it by themselves.
    exclude: ["**/forgery.test.ts"],
  },
});
