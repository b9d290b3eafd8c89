// Runs the tests of what Node's versions do in different ways, under the oldest one that the packages allow: zstd, streams, processes, files, WebAssembly,
// types that are stripped, and the command itself. `node tools/check-oldest-node.mjs FILE…` runs other tests under it; `.` is all of them.
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
  "test/e2e/caching.test.ts",
  "test/e2e/restore.test.ts",
];

const version = oldestVersion();
const node = await nodeOrSkip(version);
const given = process.argv.slice(2);
const files = given.length === 0 ? tests : given.filter((file) => file !== ".");
// A pattern that matches nothing would be no failure as long as another one does.
const missing = tests.filter((file) => !existsSync(join(root, file)));
if (missing.length > 0) throw new Error(`there is no ${missing.join(", ")} any more`);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const { status, signal } = spawnSync(node, [vitest, "run", "--reporter=dot", ...files], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
});
if (signal !== null)
  process.stderr.write(`the tests under Node ${version} were ended by ${signal}\n`);
process.exitCode = status ?? 1;

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
