// Runs the tests of what Node's versions do in different ways (zstd, streams, processes, files, WebAssembly, types that are stripped, and the command itself) under the oldest one
// that the packages allow, and under one in between that has errors of its own. `node tools/check-other-nodes.mjs FILE…` runs other tests under both.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";
import { installedNode } from "./installed-node.mjs";
import { root } from "./workspace.mjs";

/** `tools/check.mjs` says so of who lacks something of the machine's. */
const skipped = 77;

const tests = [
  "packages/reapi/src/zstd-frames.test.ts",
  "packages/server/src/reapi/zstd.test.ts",
  "packages/server/src/reapi/byte-stream.test.ts",
  "packages/server/src/reapi/batch-blobs.test.ts",
  "packages/remote/src/remote-cache.test.ts",
  "packages/runner/src/run-process.test.ts",
  "packages/digest/src/create-file-index.test.ts",
  "packages/cue/src/evaluate.test.ts",
  "packages/cas/src/staging-threads.test.ts",
  "packages/cas/src/remove-tree.test.ts",
  "packages/cas/src/swap-outputs.test.ts",
  "packages/cache/src/index-after-restores.test.ts",
  "test/e2e/caching.test.ts",
  "test/e2e/restore.test.ts",
];

/** `rmSync` leaves links to nothing there (24.0 to 24.13, 25.0 to 25.3). */
const between = "24.11.0";

const given = process.argv.slice(2);
// A name that matches nothing would be no failure as long as another one does.
const missing = tests.filter((file) => !existsSync(join(root, file)));
if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")} any more`);
// Both are there before the first test runs: one that cannot be had is no reason to pass over what fails under the other.
const nodes = [];
for (const version of [oldestVersion(), between]) nodes.push([version, await nodeOrSkip(version)]);
for (const [version, node] of nodes) runTests(version, node, given.length === 0 ? tests : given);

function runTests(version, node, files) {
  const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
  process.stdout.write(`Node ${version}\n`);
  const { status, signal } = spawnSync(node, [vitest, "run", "--reporter=dot", ...files], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  if (signal !== null) process.stderr.write(`the tests were ended by ${signal}\n`);
  if (status !== 0) process.exitCode = 1;
}

/** As the packages' `engines` have it: `>=22.18`. */
function oldestVersion() {
  const { engines } = JSON.parse(readFileSync(join(root, "apps", "cli", "package.json"), "utf8"));
  const [, found] = /^>=\s*(\d+\.\d+(?:\.\d+)?)$/.exec(engines.node) ?? [];
  if (found === undefined) throw new Error(`cannot tell the oldest Node of "${engines.node}"`);
  return found.split(".").length === 3 ? found : `${found}.0`;
}

/** Who has no network for it has to be told, and is not held up. */
async function nodeOrSkip(wanted) {
  try {
    return await installedNode(wanted);
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exit(skipped);
  }
}
