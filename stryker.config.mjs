// Mutation tests, by `npm run test:mutation [signer|key|restore|explain]` (tools/mutation.mjs), which runs them in a copy of the packages.
import process from "node:process";

// What is told of a key, and is in none. 70 kinds of change go through the command in test/e2e/why-mutations.test.ts, which Stryker cannot see.
const explanations = ["cause", "command-difference", "explain-miss", "input-causes", "short-pair"];

const scopes = {
  signer: { mutate: ["packages/signer/src/*.ts"], tests: "packages/signer/src/**/*.test.ts" },
  key: {
    mutate: ["packages/key/src/*.ts", `!packages/key/src/{${explanations.join()}}.ts`],
    tests: "packages/key/src/**/*.test.ts",
  },
  explain: {
    mutate: [`packages/key/src/{${explanations.join()}}.ts`],
    tests: "packages/key/src/**/*.test.ts",
  },
  restore: {
    mutate: [
      "packages/cas/src/{apply-restore,plan-restore,real-parents,restore-outputs,stage-outputs,swap-outputs,validate-entries,sensitive-name}.ts",
    ],
    tests: "packages/cas/src/{apply,real-parents,restore,sensitive,stage,swap,validate}*.test.ts",
  },
};
const { mutate, tests } = scopes[process.env.CUENV_MUTATE ?? "signer"];
const files = process.env.CUENV_MUTATE_FILES;
const only = (pattern) =>
  pattern.startsWith("!")
    ? [pattern]
    : files
      ? files.split(",").map((file) => `${pattern.replace(/[^/]*$/, file)}.ts`)
      : [pattern];
const results = process.env.CUENV_MUTATION_RESULTS;
process.env.CUENV_MUTATION_TESTS = tests;
// Every change is tried with them: fewer will do.
process.env.CUENV_HOSTILE_MANIFESTS = "200";
process.env.CUENV_FRESH_PROCESSES = "4";
process.env.CUENV_MUTATION_SLOWNESS = "10";

export default {
  mutate: [...mutate.flatMap(only), "!**/*.test.ts", "!**/index.ts", "!**/keys.ts"],
  testRunner: "vitest",
  plugins: ["@stryker-mutator/vitest-runner"],
  vitest: { configFile: "vitest.mutation.config.ts" },
  // The copy is ours.
  inPlace: true,
  coverageAnalysis: "perTest",
  concurrency: Number(process.env.CUENV_MUTATION_JOBS ?? 1),
  ignoreStatic: true,
  timeoutMS: 8_000,
  reporters: ["clear-text", "progress-append-only", "json"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `mutation-${process.env.CUENV_MUTATE ?? "signer"}.json` },
  thresholds: { high: 90, low: 85, break: 85 },
  disableTypeChecks: false,
  checkers: [],
  allowEmpty: false,
  ...(results && { incremental: true, incrementalFile: results }),
};
